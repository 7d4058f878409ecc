<?php

/** As much of WHMCS as the sender touches. Arguments: what localAPI answers, and the hooks that run: [[name, vars]]. */
const WHMCS = true;

[, $answers, $fired] = array_map(fn ($argument) => json_decode($argument, true), $argv);
$hooks = [];

function add_hook(string $name, int $priority, callable $hook): void
{
    $GLOBALS['hooks'][$name][] = $hook;
}

function localAPI(string $command, array $values): array
{
    $id = $values['serviceid'] ?? $values['invoiceid'];
    return $GLOBALS['answers'][$command][$id] ?? ['result' => 'error'];
}

require getenv('SENDERS') . '/whmcs.php';
foreach ($fired as [$name, $vars]) {
    array_map(fn ($hook) => $hook($vars), $hooks[$name]);
}

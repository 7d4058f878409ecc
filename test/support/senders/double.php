<?php

/**
 * Runs a test double of a shop. Arguments: the file of its state, and its operations: [[method, argument ...], ...]. The
 * state is saved even if the process fails, as in a database.
 */
function run_double(object $shop): void
{
    register_shutdown_function(fn () => file_put_contents($GLOBALS['argv'][1], json_encode($shop->state)));
    foreach (json_decode($GLOBALS['argv'][2], true) as [0 => $method, 1 => $arguments]) {
        $shop->$method(...$arguments);
    }
}

function state_of_double(bool $asArrays = true)
{
    return json_decode(file_get_contents($GLOBALS['argv'][1]), $asArrays);
}

function add_to_date(string $date, string $interval, string $format): string
{
    return (new DateTimeImmutable($date))->modify($interval)->format($format);
}

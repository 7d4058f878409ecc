<?php

/** As much of Blesta as the sender touches. Arguments: models' objects by id, and what happens: [[event, params]]. */
[, $objects, $fired] = array_map(fn ($argument) => json_decode($argument), $argv);

class Plugin
{
    protected function loadConfig(string $file): void
    {
        json_decode(file_get_contents($file), false, 512, JSON_THROW_ON_ERROR);
    }
}

class Loader
{
    public static function loadModels(object $parent, array $names): void
    {
        foreach ($names as $name) {
            $parent->$name = new class($GLOBALS['objects']->$name) {
                public function __construct(private object $byId)
                {
                }

                public function get($id)
                {
                    return $this->byId->$id ?? false;
                }
            };
        }
    }
}

require getenv('SENDERS') . '/blesta/billmgr_webhooks_plugin.php';
$plugin = new BillmgrWebhooksPlugin();
foreach ($fired as [$name, $params]) {
    foreach ($plugin->getEvents() as ['event' => $event, 'callback' => [, $callback]]) {
        if ($event === $name) {
            $plugin->$callback(new class((array) $params) {
                public function __construct(private array $params)
                {
                }

                public function getParams(): array
                {
                    return $this->params;
                }
            });
        }
    }
}

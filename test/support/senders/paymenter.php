<?php

/**
 * A test double of Paymenter, built from its source (1.5): Laravel's model events and transactions as far as Paymenter uses
 * them, and the services that renew, upgrade and cancel. An exception in a listener reaches the code that saved the model.
 */

namespace App\Classes\Extension {
    class Extension
    {
    }
}

namespace Illuminate\Support\Facades {
    class Event
    {
        public static array $listeners = [];

        public static function listen(string $event, callable $listener): void
        {
            self::$listeners[$event][] = $listener;
        }
    }

    class DB
    {
        private static ?array $afterCommit = null;

        public static function afterCommit(callable $callback): void
        {
            self::$afterCommit === null ? $callback() : self::$afterCommit[] = $callback;
        }

        public static function transaction(callable $callback): void
        {
            $before = $GLOBALS['paymenter']->state;
            self::$afterCommit = [];
            try {
                $callback();
            } catch (\Throwable $error) {
                self::$afterCommit = null;
                $GLOBALS['paymenter']->state = $before;
                throw $error;
            }
            [$callbacks, self::$afterCommit] = [self::$afterCommit, null];
            array_map(fn ($callback) => $callback(), $callbacks);
        }
    }
}

namespace {
    use Illuminate\Support\Facades\DB;
    use Illuminate\Support\Facades\Event;

    require __DIR__ . '/double.php';

    $names = ['Service' => 'service', 'ServiceCancellation' => 'cancellation', 'ServiceUpgrade' => 'serviceUpgrade'];
    foreach ($names as $of => $name) {
        foreach (['Created', 'Updated', 'Deleted'] as $event) {
            eval("namespace App\\Events\\$of; class $event { public function __construct(public \\Model \$$name) {} }");
        }
    }

    /** A row of a table: saving it raises the event of its observer, with the changes that were saved. */
    class Model
    {
        private array $changes = [];

        public function __construct(private string $table, private array $attributes)
        {
        }

        public static function find(string $table, int $id): ?self
        {
            $row = $GLOBALS['paymenter']->state[$table][$id] ?? null;
            return $row === null ? null : new self($table, $row);
        }

        public function __get(string $name)
        {
            $value = $this->attributes[$name] ?? null;
            switch ($name) {
                case 'service':
                    return self::find('Service', $this->attributes['service_id']);
                case 'expires_at':
                    return $value === null ? null : new DateTimeImmutable($value);
                case 'user':
                    return (object) ['email' => 'customer@example.com'];
                case 'properties':
                    return array_map(fn ($row) => (object) $row, $this->attributes['properties'] ?? []);
                case 'configs':
                    $toObject = fn ($row) => (object) array_map(fn ($one) => (object) $one, $row);
                    return array_map($toObject, $this->attributes['configs'] ?? []);
            }
            return $value;
        }

        public function getAttributes(): array
        {
            return $this->attributes;
        }

        public function getChanges(): array
        {
            return $this->changes;
        }

        public function fresh(): ?self
        {
            return self::find($this->table, $this->attributes['id']);
        }

        public function insert(): void
        {
            $GLOBALS['paymenter']->state[$this->table][$this->attributes['id']] = $this->attributes;
            $this->fire('Created');
        }

        public function save(array $changes): void
        {
            $isChanged = fn ($value, $name) => ($this->attributes[$name] ?? null) !== $value;
            $this->changes = array_filter($changes, $isChanged, ARRAY_FILTER_USE_BOTH);
            if ($this->changes !== []) {
                $this->attributes = $this->changes + $this->attributes;
                $GLOBALS['paymenter']->state[$this->table][$this->attributes['id']] = $this->attributes;
                $this->fire('Updated');
            }
        }

        public function delete(): void
        {
            unset($GLOBALS['paymenter']->state[$this->table][$this->attributes['id']]);
            $this->fire('Deleted');
        }

        private function fire(string $event): void
        {
            $class = "App\\Events\\{$this->table}\\$event";
            array_map(fn ($listener) => $listener(new $class($this)), Event::$listeners[$class] ?? []);
        }
    }

    $paymenter = new class(state_of_double()) {
        public function __construct(public array $state)
        {
        }

        /** Another process, as the queue's worker is, or the next page. */
        private function service(int $id): Model
        {
            return Model::find('Service', $id);
        }

        public function pay(int $id): void
        {
            DB::transaction(fn () => $this->renew($id));
        }

        private function renew(int $id): void
        {
            $service = $this->service($id);
            $from = $service->status === 'active' && $service->expires_at ? $service->expires_at->format('Y-m-d') : 'now';
            $service->save(['expires_at' => add_to_date($from, '+1 month', 'Y-m-d'), 'status' => 'active']);
        }

        /** The cart saves a free service and makes it active in the same transaction; then the order may still fail. */
        public function orderFree(array $service, bool $fails): void
        {
            try {
                DB::transaction(function () use ($service, $fails) {
                    (new Model('Service', $service))->insert();
                    $this->renew($service['id']);
                    if ($fails) {
                        throw new Exception('The cart is out of stock');
                    }
                });
            } catch (Exception $error) {
                echo $error->getMessage();
            }
        }

        public function create(array $service): void
        {
            (new Model('Service', $service))->insert();
        }

        public function save(int $id, array $changes): void
        {
            $this->service($id)->save($changes);
        }

        /** The service is saved before its options are, and once more only if its price changes. */
        public function upgrade(int $id, array $to, array $configs): void
        {
            DB::transaction(function () use ($id, $to, $configs) {
                Model::find('ServiceUpgrade', $id)->save(['status' => 'completed']);
                $service = Model::find('ServiceUpgrade', $id)->service;
                $service->save($to);
                $this->state['Service'][$service->id]['configs'] = $configs;
            });
        }

        public function cancel(int $id, string $type): void
        {
            (new Model('ServiceCancellation', ['id' => $id, 'service_id' => $id, 'type' => $type]))->insert();
            if ($type === 'immediate') {
                $this->service($id)->save(['status' => 'cancelled']);
            }
        }

        public function withdrawCancellation(int $id): void
        {
            Model::find('ServiceCancellation', $id)->delete();
        }

        public function delete(int $id): void
        {
            DB::transaction(fn () => $this->service($id)->delete());
        }
    };

    require getenv('SENDERS') . '/paymenter/BillmgrWebhooks.php';
    (new Paymenter\Extensions\Others\BillmgrWebhooks\BillmgrWebhooks())->boot();
    run_double($paymenter);
}

<?php

/** As much of Paymenter as the sender touches. Argument: what happens, [[event, service, its changes or cancellation]]. */

namespace App\Classes\Extension {
    class Extension
    {
    }
}

namespace App\Events\Service {
    class Updated
    {
        public function __construct(public object $service)
        {
        }
    }
}

namespace App\Events\ServiceCancellation {
    class Created
    {
        public function __construct(public object $cancellation)
        {
        }
    }
    class Deleted extends Created
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
}

namespace {
    use Illuminate\Support\Facades\Event;

    class Model
    {
        private array $changes = [];

        public function __construct(private array $fields)
        {
            $this->fields['expires_at'] = new DateTimeImmutable($fields['expires_at']);
        }

        public function __get(string $name)
        {
            return $this->fields[$name];
        }

        public function changed(array $changes): self
        {
            $this->changes = $changes;
            return $this;
        }

        public function getChanges(): array
        {
            return $this->changes;
        }
    }

    require getenv('SENDERS') . '/paymenter/BillmgrWebhooks.php';
    (new Paymenter\Extensions\Others\BillmgrWebhooks\BillmgrWebhooks())->boot();
    foreach (json_decode($argv[1], true) as [$class, $service, $more]) {
        $service = new Model($service);
        $isUpdate = $class === 'App\Events\Service\Updated';
        $subject = $isUpdate ? $service->changed($more) : (object) ($more + ['service' => $service]);
        array_map(fn ($listener) => $listener(new $class($subject)), Event::$listeners[$class]);
    }
}

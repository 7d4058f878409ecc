<?php

namespace Paymenter\Extensions\Others\BillmgrWebhooks;

use App\Classes\Extension\Extension;
use App\Events\Service;
use App\Events\ServiceCancellation;
use App\Events\ServiceUpgrade;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;

/** Sends what happens to licenses in Paymenter. Goes into extensions/Others/BillmgrWebhooks/. */
class BillmgrWebhooks extends Extension
{
    private const TYPES = [
        'active' => 'subscription.resumed',
        'suspended' => 'subscription.paused',
        'cancelled' => 'subscription.cancelled',
    ];

    public function getConfig($values = [])
    {
        return [];
    }

    public function boot()
    {
        $this->listen(Service\Created::class, fn ($event) => [$event->service, $event->service->getAttributes()]);
        $this->listen(Service\Updated::class, fn ($event) => [$event->service, $event->service->getChanges()]);
        $this->listen(ServiceUpgrade\Updated::class, function ($event) {
            // Paymenter changes the options of a service without an event of the service.
            $isDone = ($event->serviceUpgrade->getChanges()['status'] ?? null) === 'completed';
            return [$event->serviceUpgrade->service, $isDone ? ['product_id' => true] : []];
        });
        $this->listen(ServiceCancellation\Created::class, function ($event) {
            // An immediate one changes the service's status.
            $isScheduled = $event->cancellation->type === 'end_of_period';
            return [$event->cancellation->service, [], $isScheduled ? 'subscription.cancel_scheduled' : null];
        });
        $this->listen(
            ServiceCancellation\Deleted::class,
            fn ($event) => [$event->cancellation->service, [], 'subscription.cancel_withdrawn']
        );
        Event::listen(Service\Deleted::class, function ($event) {
            $this->guarded('Service\Deleted', function (\BillmgrWebhooks $webhooks) use ($event) {
                // Read before the transaction ends: then the service is gone.
                $data = $this->dataOf($webhooks, $event->service);
                $send = fn ($webhooks) => $webhooks->send("{$data['subscription']}-deleted", 'subscription.cancelled', $data);
                if ($webhooks->sells($event->service->product_id)) {
                    DB::afterCommit(fn () => $this->guarded('Service\Deleted', $send));
                }
            });
        });
    }

    /**
     * Paymenter saves services within transactions, and again before it saves their options. So the service is read and
     * sent when the transaction is committed, and not at all if it is rolled back.
     */
    private function listen(string $name, callable $about): void
    {
        Event::listen($name, function ($event) use ($name, $about) {
            $this->guarded($name, function () use ($name, $event, $about) {
                [$service, $changes, $type] = $about($event) + [2 => null];
                DB::afterCommit(fn () => $this->guarded($name, function ($webhooks) use ($service, $changes, $type) {
                    $service = $service?->fresh();
                    if ($service !== null && $webhooks->sells($service->product_id)) {
                        $this->report($webhooks, $service, $changes, $type);
                    }
                }));
            });
        });
    }

    /** An exception in a listener would undo what Paymenter is saving. */
    private function guarded(string $name, callable $hook): void
    {
        try {
            include_once (getenv('BILLMGR_WEBHOOKS') ?: '/opt/billmgr-webhooks') . '/billmgr-webhooks.php';
            $hook(new \BillmgrWebhooks());
        } catch (\Throwable $error) {
            error_log("billmgr-webhooks: $name: {$error->getMessage()}");
        }
    }

    private function report(\BillmgrWebhooks $webhooks, $service, array $changes, ?string $type): void
    {
        $data = $this->dataOf($webhooks, $service);
        $subscription = $data['subscription'];
        $send = fn (string $type) => $webhooks->send("$subscription-$type-" . time(), $type, $data);
        // Paymenter moves the expiry when an invoice is paid, and for a free period.
        $isDated = isset($changes['expires_at']) || isset($changes['status']);
        if ($isDated && $service->status === 'active' && $service->expires_at !== null) {
            $through = $service->expires_at->format('Y-m-d');
            $id = "$subscription-to-$through";
            $webhooks->send($id, 'payment.succeeded', ['payment' => $id, 'paidThrough' => $through] + $data);
        }
        if (isset($changes['status'], self::TYPES[$service->status])) {
            $send(self::TYPES[$service->status]);
        }
        if (array_intersect_key($changes, ['product_id' => 1, 'plan_id' => 1, 'quantity' => 1])) {
            $send('subscription.changed');
        }
        if ($type !== null) {
            $send($type);
        }
    }

    private function dataOf(\BillmgrWebhooks $webhooks, $service): array
    {
        $options = [];
        foreach ($service->properties as $property) {
            $options[$property->name ?? $property->key] = $property->value;
        }
        foreach ($service->configs as $config) {
            // As Paymenter passes a choice to its servers.
            $options[$config->configOption->name] = $config->configValue->env_variable ?: $config->configValue->name;
        }
        return [
            'subscription' => "paymenter-{$service->id}",
            'items' => $webhooks->items("paymenter:{$service->plan_id}", $service->quantity, $options),
            'customer' => ['id' => $service->user_id, 'email' => $service->user->email ?? null],
        ];
    }
}

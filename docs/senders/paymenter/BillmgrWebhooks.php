<?php

namespace Paymenter\Extensions\Others\BillmgrWebhooks;

use App\Classes\Extension\Extension;
use App\Events\Service\Updated;
use App\Events\ServiceCancellation;
use Illuminate\Support\Facades\Event;

require_once (getenv('BILLMGR_WEBHOOKS') ?: '/opt/billmgr-webhooks') . '/billmgr-webhooks.php';

/** Paymenter tells what happens to licenses. Put it into extensions/Others/BillmgrWebhooks/. */
class BillmgrWebhooks extends Extension
{
    public function getConfig($values = [])
    {
        return [];
    }

    public function boot()
    {
        Event::listen(Updated::class, fn ($event) => $this->updated($event->service));
        Event::listen(ServiceCancellation\Created::class, function ($event) {
            // An immediate one is told when the service's status changes.
            if ($event->cancellation->type === 'end_of_period') {
                $service = $event->cancellation->service;
                $end = ['endsAt' => $service->expires_at->format('Y-m-d')];
                $this->tell($service, 'subscription.cancel_scheduled', $end);
            }
        });
        Event::listen(
            ServiceCancellation\Deleted::class,
            fn ($event) => $this->tell($event->cancellation->service, 'subscription.cancel_withdrawn')
        );
    }

    private function updated($service): void
    {
        $changes = $service->getChanges();
        // Paymenter moves the expiry on when an invoice of the service is paid.
        if (isset($changes['expires_at']) && $service->status === 'active') {
            $through = $service->expires_at->format('Y-m-d');
            $fact = ['payment' => "service-{$service->id}-to-$through", 'paidThrough' => $through];
            $this->tell($service, 'payment.succeeded', $fact, $fact['payment']);
        }
        $statuses = [
            'active' => 'subscription.resumed',
            'suspended' => 'subscription.paused',
            'cancelled' => 'subscription.cancelled',
        ];
        if (isset($statuses[$changes['status'] ?? ''])) {
            $this->tell($service, $statuses[$changes['status']]);
        }
        if (array_intersect_key($changes, ['plan_id' => 1, 'quantity' => 1])) {
            $this->tell($service, 'subscription.changed');
        }
    }

    private function tell($service, string $type, array $more = [], ?string $fact = null): void
    {
        $webhooks = new \BillmgrWebhooks();
        if ($webhooks->sells($service->product_id)) {
            $webhooks->send('paymenter-' . ($fact ?? "$type-{$service->id}-" . time()), $type, $more + [
                'subscription' => $service->id,
                'plan' => "paymenter:{$service->plan_id}",
                'quantity' => $service->quantity,
                'customer' => ['id' => $service->user_id],
            ]);
        }
    }
}

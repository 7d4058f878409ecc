<?php

require_once (getenv('BILLMGR_WEBHOOKS') ?: '/opt/billmgr-webhooks') . '/billmgr-webhooks.php';

/** Blesta tells what happens to licenses. Put it and config.json into plugins/billmgr_webhooks/. */
class BillmgrWebhooksPlugin extends Plugin
{
    public function __construct()
    {
        $this->loadConfig(__DIR__ . DIRECTORY_SEPARATOR . 'config.json');
    }

    public function getEvents()
    {
        $callbacks = [
            'Invoices.setClosedAfter' => 'paid',
            'Services.suspendAfter' => 'suspended',
            'Services.unsuspendAfter' => 'unsuspended',
            'Services.editAfter' => 'edited',
            'Services.cancelAfter' => 'canceled',
        ];
        $events = [];
        foreach ($callbacks as $event => $callback) {
            $events[] = ['event' => $event, 'callback' => ['this', $callback]];
        }
        return $events;
    }

    /** A renewal date moves on when an invoice is made, not when it is paid; so what is paid is told in months. */
    public function paid($event)
    {
        Loader::loadModels($this, ['Invoices', 'Services']);
        $invoice = $this->Invoices->get($event->getParams()['invoice_id']);
        if (!$invoice || empty($invoice->date_closed) || $invoice->status !== 'active') {
            return;
        }
        foreach (array_unique(array_filter(array_column($invoice->line_items, 'service_id'))) as $id) {
            $service = $this->Services->get($id);
            $months = ['month' => 1, 'year' => 12][$service->package_pricing->period] ?? null;
            if ($months !== null) {
                $fact = ['payment' => "invoice-{$invoice->id}", 'months' => $months * $service->package_pricing->term];
                $this->tell("invoice-{$invoice->id}-service-$id", 'payment.succeeded', $service, $fact);
            }
        }
    }

    public function suspended($event)
    {
        $this->told($event, 'subscription.paused');
    }

    public function unsuspended($event)
    {
        $this->told($event, 'subscription.resumed');
    }

    public function edited($event)
    {
        $this->told($event, 'subscription.changed');
    }

    /** A cancellation that is scheduled has its date, and the status stays until then. */
    public function canceled($event)
    {
        $service = $this->serviceOf($event);
        if ($service->status === 'canceled') {
            $this->told($event, 'subscription.cancelled');
        } elseif (!empty($service->date_canceled)) {
            $this->told($event, 'subscription.cancel_scheduled', ['endsAt' => $service->date_canceled]);
        }
    }

    private function told($event, string $type, array $more = []): void
    {
        $service = $this->serviceOf($event);
        $this->tell("$type-{$service->id}-" . time(), $type, $service, $more);
    }

    private function serviceOf($event)
    {
        Loader::loadModels($this, ['Services']);
        return $this->Services->get($event->getParams()['service_id']);
    }

    private function tell(string $fact, string $type, $service, array $more): void
    {
        $webhooks = new BillmgrWebhooks();
        if ($webhooks->sells($service->package->id)) {
            $webhooks->send("blesta-$fact", $type, $more + [
                'subscription' => $service->id,
                'plan' => "blesta:{$service->package_pricing->id}",
                'quantity' => $service->qty,
                'customer' => ['id' => $service->client_id],
            ]);
        }
    }
}

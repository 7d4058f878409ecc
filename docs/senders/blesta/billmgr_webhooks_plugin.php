<?php

/** Sends what happens to licenses in Blesta. Goes into plugins/billmgr_webhooks/, with config.json. */
class BillmgrWebhooksPlugin extends Plugin
{
    private const EVENTS = [
        'Invoices.setClosedAfter' => 'closed',
        'Services.editAfter' => 'edited',
        'Services.suspendAfter' => 'suspended',
        'Services.unsuspendAfter' => 'unsuspended',
        'Services.cancelAfter' => 'canceled',
        'Transactions.editBefore' => 'transactionChanges',
        'Transactions.editAfter' => 'transactionChanged',
    ];

    private const TYPES = [
        'active' => 'subscription.resumed',
        'suspended' => 'subscription.paused',
        'canceled' => 'subscription.cancelled',
    ];

    /** The closed invoices of each transaction that is being changed: Blesta takes it off them before it reports the change. */
    private static array $paidBy = [];

    public function __construct()
    {
        $this->loadConfig(__DIR__ . DIRECTORY_SEPARATOR . 'config.json');
    }

    public function getEvents()
    {
        $events = [];
        foreach (self::EVENTS as $event => $callback) {
            $events[] = ['event' => $event, 'callback' => ['this', $callback]];
        }
        return $events;
    }

    public function closed($event)
    {
        $this->guarded($event, function (BillmgrWebhooks $webhooks, array $params) {
            $invoice = $this->Invoices->get($params['invoice_id']);
            if ($invoice && !empty($invoice->date_closed) && $invoice->status === 'active') {
                $this->forEachLicense($webhooks, $invoice, function ($service) use ($webhooks, $invoice) {
                    $payment = $this->paymentOf($invoice);
                    $fact = ['payment' => $payment, 'paidThrough' => $this->paidThrough($service, $invoice->id)];
                    // A fee for the cancellation, or an old debt, does not bring a canceled service back.
                    if ($fact['paidThrough'] !== null && $service->status !== 'canceled') {
                        $id = "$payment-service-{$service->id}";
                        $this->send($webhooks, $service, $id, 'payment.succeeded', $fact, "{$invoice->date_closed} UTC");
                    }
                    $this->compareEnd($webhooks, $service);
                });
            }
        });
    }

    /** Blesta also edits a service to move its renew date, after it has made the invoice. */
    public function edited($event)
    {
        $this->forLicense($event, function (BillmgrWebhooks $webhooks, $service, array $params) {
            $before = $params['old_service'];
            $this->report($webhooks, $service, 'subscription.changed');
            if ($before->status !== $service->status && isset(self::TYPES[$service->status])) {
                $this->report($webhooks, $service, self::TYPES[$service->status]);
            }
            $isLater = strtotime((string) $service->date_renews) > (int) strtotime((string) $before->date_renews);
            $isServed = in_array($service->status, ['active', 'suspended'], true);
            if ($isLater && $isServed && $this->openInvoices($service) === []) {
                $fact = "service-{$service->id}-to-" . preg_replace('/\D/', '', $service->date_renews);
                $covers = ['payment' => $fact, 'paidThrough' => $service->date_renews];
                $this->send($webhooks, $service, $fact, 'payment.succeeded', $covers);
            }
        });
    }

    public function suspended($event)
    {
        $this->forLicense($event, fn ($webhooks, $service) => $this->report($webhooks, $service, 'subscription.paused'));
    }

    public function unsuspended($event)
    {
        $this->forLicense($event, fn ($webhooks, $service) => $this->report($webhooks, $service, 'subscription.resumed'));
    }

    public function canceled($event)
    {
        $this->forLicense($event, function (BillmgrWebhooks $webhooks, $service) {
            if ($service->status === 'canceled') {
                $this->report($webhooks, $service, 'subscription.cancelled');
            }
        });
    }

    public function transactionChanges($event)
    {
        $this->guarded($event, function (BillmgrWebhooks $webhooks, array $params) {
            $applied = $this->Transactions->getApplied($params['transaction_id']);
            $invoices = array_map(fn ($one) => $this->Invoices->get($one->invoice_id), $applied);
            self::$paidBy[$params['transaction_id']] = array_filter($invoices, fn ($one) => $one && !empty($one->date_closed));
        });
    }

    public function transactionChanged($event)
    {
        $this->guarded($event, function (BillmgrWebhooks $webhooks, array $params) {
            foreach (self::$paidBy[$params['transaction_id']] ?? [] as $invoice) {
                // Another transaction may still pay the invoice in full.
                if (empty($this->Invoices->get($invoice->id)->date_closed)) {
                    $this->forEachLicense($webhooks, $invoice, function ($service) use ($webhooks, $invoice) {
                        $payment = $this->paymentOf($invoice);
                        $fact = "refund-of-$payment-service-{$service->id}";
                        $this->send($webhooks, $service, $fact, 'payment.refunded', ['payment' => $payment]);
                    });
                }
            }
            unset(self::$paidBy[$params['transaction_id']]);
        });
    }

    /** An exception here would end what Blesta is doing, with the payment or the change half done. */
    private function guarded($event, callable $hook): void
    {
        try {
            include_once (getenv('BILLMGR_WEBHOOKS') ?: '/opt/billmgr-webhooks') . '/billmgr-webhooks.php';
            Loader::loadModels($this, ['Clients', 'Invoices', 'Services', 'Transactions']);
            $hook(new BillmgrWebhooks(), $event->getParams());
        } catch (Throwable $error) {
            error_log("billmgr-webhooks: {$error->getMessage()}");
        }
    }

    private function forLicense($event, callable $report): void
    {
        $this->guarded($event, function (BillmgrWebhooks $webhooks, array $params) use ($report) {
            $service = $this->Services->get($params['service_id']);
            if ($service && $webhooks->sells($service->package->id)) {
                $report($webhooks, $service, $params);
                $this->compareEnd($webhooks, $service);
            }
        });
    }

    private function forEachLicense(BillmgrWebhooks $webhooks, $invoice, callable $report): void
    {
        foreach (array_unique(array_filter(array_column($invoice->line_items, 'service_id'))) as $id) {
            $service = $this->Services->get($id);
            if ($service && $webhooks->sells($service->package->id)) {
                $report($service);
            }
        }
    }

    /** Blesta reports no withdrawn cancellation: each event of a service compares its end with the one that was sent. */
    private function compareEnd(BillmgrWebhooks $webhooks, $service): void
    {
        $isSent = in_array("blesta-{$service->id}", $webhooks->scheduledEnds(), true);
        $isScheduled = !empty($service->date_canceled);
        if ($service->status !== 'canceled' && $isScheduled !== $isSent) {
            $type = $isScheduled ? 'subscription.cancel_scheduled' : 'subscription.cancel_withdrawn';
            $this->report($webhooks, $service, $type, $isScheduled ? ['endsAt' => $service->date_canceled] : []);
        }
    }

    /** An invoice that was closed again after a refund is another payment. */
    private function paymentOf($invoice): string
    {
        return "invoice-{$invoice->id}-" . preg_replace('/\D/', '', $invoice->date_closed);
    }

    private function openInvoices($service): array
    {
        return $this->Invoices->getAllWithService($service->id, $service->client_id, 'open');
    }

    /**
     * The renew date: an invoice for a change, a proration or a fee does not move it, and a prorated term ends there. Blesta
     * moves it when it makes the invoice of a term, so a term that begins when another open invoice is due is not paid.
     */
    private function paidThrough($service, $paidInvoice): ?string
    {
        if (empty($service->date_renews)) {
            return null;
        }
        ['term' => $term, 'period' => $period] = (array) $service->package_pricing;
        $renews = new DateTimeImmutable($service->date_renews, new DateTimeZone('UTC'));
        // The company's time zone shifts a day by hours, and the end of a month by up to three days.
        $tolerance = $renews->format('j') < 28 || in_array($period, ['day', 'week'], true) ? 43200 : 3 * 86400;
        $through = $renews;
        foreach ($this->openInvoices($service) as $invoice) {
            $due = strtotime("{$invoice->date_due} UTC");
            for ($begins = $renews, $n = 1; $begins->getTimestamp() > $due + $tolerance; $n++) {
                $begins = $renews->modify('-' . $n * $term . " $period");
            }
            $isOfTerm = $begins < $renews && abs($begins->getTimestamp() - $due) <= $tolerance;
            if ($isOfTerm && $invoice->id != $paidInvoice) {
                $through = min($through, $begins);
            }
        }
        return $through->format('Y-m-d\TH:i:s\Z');
    }

    private function report(BillmgrWebhooks $webhooks, $service, string $type, array $more = []): void
    {
        $this->send($webhooks, $service, "$type-{$service->id}-" . time(), $type, $more);
    }

    private function send(
        BillmgrWebhooks $webhooks,
        $service,
        string $fact,
        string $type,
        array $more,
        ?string $at = null
    ): void {
        $client = $this->Clients->get($service->client_id);
        $options = [];
        foreach ($service->options ?? [] as $option) {
            $options[$option->option_name] = $option->option_type === 'quantity' ? $option->qty : $option->value;
        }
        $webhooks->send("blesta-$fact", $type, $more + [
            'subscription' => "blesta-{$service->id}",
            'items' => $webhooks->items("blesta:{$service->package_pricing->id}", $service->qty, $options),
            'customer' => ['id' => $service->client_id, 'email' => $client->email ?? null],
        ], $at);
    }
}

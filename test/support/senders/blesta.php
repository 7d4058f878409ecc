<?php

/**
 * A test double of Blesta, built from its developer manual and the parameters that its models pass to events (5.3 and
 * later). An exception in an event handler stops the method of the model.
 */

require __DIR__ . '/double.php';

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
            $parent->$name = new Model($name);
        }
    }
}

/** Returns objects, or false if there is none, as the models of Blesta do. */
class Model
{
    public function __construct(private string $name)
    {
    }

    public function get($id)
    {
        $row = $GLOBALS['blesta']->state[$this->name][$id] ?? null;
        return $row === null ? false : json_decode(json_encode($row));
    }

    public function getAllWithService($id, $client = null, $status = 'open'): array
    {
        $found = [];
        foreach ($GLOBALS['blesta']->state['Invoices'] as $invoice) {
            $lines = array_column($invoice['line_items'], 'service_id');
            // A join with the lines: an invoice with several lines of the service is there several times.
            $count = $invoice['date_closed'] === null && $invoice['status'] === 'active' ? count(array_keys($lines, $id)) : 0;
            $found = array_merge($found, array_fill(0, $count, json_decode(json_encode($invoice))));
        }
        return $found;
    }

    public function getApplied($transaction = null, $invoice = null): array
    {
        $invoices = $GLOBALS['blesta']->state['Transactions'][$transaction]['applied'] ?? [];
        return array_map(fn ($id) => (object) ['transaction_id' => $transaction, 'invoice_id' => $id], $invoices);
    }
}

$blesta = new class(state_of_double()) {
    public function __construct(public array $state)
    {
    }

    private function fire(string $name, array $params): void
    {
        $plugin = new BillmgrWebhooksPlugin();
        foreach ($plugin->getEvents() as ['event' => $event, 'callback' => [, $callback]]) {
            if ($event === $name) {
                $plugin->$callback(new class($params) {
                    public function __construct(private array $params)
                    {
                    }

                    public function getParams()
                    {
                        return $this->params;
                    }
                });
            }
        }
    }

    private function service(int $id)
    {
        return (new Model('Services'))->get($id);
    }

    private function change(int $id, array $vars, string $event): void
    {
        $before = $this->service($id);
        $this->state['Services'][$id] = $vars + $this->state['Services'][$id];
        $this->fire("Services.{$event}After", ['service_id' => $id, 'vars' => $vars, 'old_service' => $before]);
    }

    public function edit(int $id, array $vars): void
    {
        $this->change($id, $vars, 'edit');
    }

    /** Creates the invoice of the next term, and then moves the renew date. A free invoice is closed immediately. */
    public function invoiceTerm(int $invoice, int $id, bool $isFree = false): void
    {
        $service = $this->service($id);
        $this->addInvoice($invoice, $id, $service->date_renews);
        if ($isFree) {
            $this->close($invoice);
        }
        $pricing = $service->package_pricing;
        $renews = add_to_date($service->date_renews, "+{$pricing->term} {$pricing->period}", 'Y-m-d H:i:s');
        $this->edit($id, ['date_renews' => $renews, 'date_last_renewed' => $service->date_renews]);
    }

    /** An invoice for an upgrade or a fee is due when it is made. */
    public function addInvoice(int $invoice, int $id, ?string $due = null): void
    {
        $this->state['Invoices'][$invoice] = [
            'id' => $invoice,
            'status' => 'active',
            'date_due' => $due ?? gmdate('Y-m-d H:i:s'),
            'date_closed' => null,
            'line_items' => [['service_id' => $id], ['service_id' => $id], ['service_id' => 38], ['service_id' => null]],
        ];
    }

    public function pay(int $invoice, int $transaction, ?string $at = null): void
    {
        $this->state['Transactions'][$transaction] = ['id' => $transaction, 'status' => 'approved', 'applied' => [$invoice]];
        $this->close($invoice, $at);
    }

    public function close(int $id, ?string $at = null): void
    {
        $this->state['Invoices'][$id]['date_closed'] ??= $at ?? gmdate('Y-m-d H:i:s');
        $this->fire('Invoices.setClosedAfter', ['invoice_id' => $id, 'old_invoice' => null]);
    }

    /** The transaction is taken off its invoices, which opens them again, before Blesta reports the change. */
    public function refund(int $id): void
    {
        $this->fire('Transactions.editBefore', ['transaction_id' => $id, 'staff_id' => 1, 'vars' => ['status' => 'refunded']]);
        $applied = $this->state['Transactions'][$id]['applied'];
        $this->state['Transactions'][$id] = ['id' => $id, 'status' => 'refunded', 'applied' => []];
        foreach ($applied as $invoice) {
            $others = array_merge(...array_column($this->state['Transactions'], 'applied'));
            if (!in_array($invoice, $others, true)) {
                $this->state['Invoices'][$invoice]['date_closed'] = null;
            }
        }
        $this->fire('Transactions.editAfter', ['transaction_id' => $id, 'old_transaction' => null]);
    }

    public function suspend(int $id): void
    {
        $this->change($id, ['status' => 'suspended'], 'suspend');
    }

    public function unsuspend(int $id): void
    {
        $this->change($id, ['status' => 'active', 'date_canceled' => null], 'unsuspend');
    }

    public function cancel(int $id, string $date): void
    {
        $isNow = strtotime("$date UTC") <= time();
        $this->change($id, ['date_canceled' => $date] + ($isNow ? ['status' => 'canceled'] : []), 'cancel');
    }

    /** Blesta has no event for it. */
    public function unCancel(int $id): void
    {
        $this->state['Services'][$id]['date_canceled'] = null;
    }
};

require getenv('SENDERS') . '/blesta/billmgr_webhooks_plugin.php';
run_double($blesta);

<?php

/**
 * A test double of WHMCS, built from its developer documentation: hooks, their parameters and order, and the answers of
 * localAPI. An exception in a hook ends the process, as nothing in WHMCS is documented to catch it.
 */

namespace WHMCS\Database {
    class Capsule
    {
        private function __construct(private array $rows)
        {
        }

        public static function table(string $name): self
        {
            return new self($GLOBALS['shop']->state[$name] ?? []);
        }

        public function where(string $column, $operator, $value = null): self
        {
            $isEqual = func_num_args() === 2;
            $wanted = $isEqual ? $operator : $value;
            $matches = fn (array $row) => ((string) $row[$column] === (string) $wanted) === ($isEqual || $operator === '=');
            return new self(array_filter($this->rows, $matches));
        }

        public function value(string $column)
        {
            return array_values($this->rows)[0][$column] ?? null;
        }
    }
}

namespace {
    require __DIR__ . '/double.php';

    const WHMCS = true;

    function add_hook(string $name, int $priority, callable $hook): void
    {
        $GLOBALS['shop']->hooks[$name][] = $hook;
    }

    function localAPI(string $command, array $values): array
    {
        return $GLOBALS['shop']->api($command, $values);
    }

    $shop = new class(state_of_double()) {
        public array $hooks = [];

        public function __construct(public array $state)
        {
        }

        public function api(string $command, array $values): array
        {
            if (in_array($command, $this->state['broken'] ?? [], true)) {
                throw new RuntimeException("$command: the database has gone away");
            }
            $success = ['result' => 'success'];
            switch ($command) {
                case 'GetInvoice':
                    $invoice = $this->state['invoices'][$values['invoiceid']] ?? null;
                    return $invoice ? $success + $invoice : ['result' => 'error', 'message' => 'Invoice ID Not Found'];
                case 'GetClientsProducts':
                    $service = $this->state['services'][$values['serviceid']] ?? null;
                    return $success + ['products' => $service ? ['product' => [$service]] : ''];
                case 'GetClientsDetails':
                    return $success + ['client' => ['id' => $values['clientid'], 'email' => 'customer@example.com']];
                case 'GetCancelledPackages':
                    $requests = $this->state['tblcancelrequests'] ?? [];
                    return $success + ['packages' => $requests ? ['package' => array_values($requests)] : ''];
            }
            return ['result' => 'error', 'message' => 'Command Not Found'];
        }

        private function fire(string $hook, array $vars): array
        {
            return array_map(fn ($run) => $run($vars), $this->hooks[$hook] ?? []);
        }

        /** InvoicePaid runs after the automation of the payment: by then due dates have moved and upgrades are done. */
        public function pay(int $id): void
        {
            $invoice = &$this->state['invoices'][$id];
            $invoice = ['status' => 'Paid', 'datepaid' => date('Y-m-d H:i:s')] + $invoice;
            foreach ($invoice['items']['item'] as $line) {
                if ($line['type'] === 'Hosting') {
                    $service = &$this->state['services'][$line['relid']];
                    $service['nextduedate'] = add_to_date($service['nextduedate'], '+1 month', 'Y-m-d');
                    $service['status'] = 'Active';
                    unset($service);
                } elseif ($line['type'] === 'Upgrade') {
                    $this->upgrade($line['relid']);
                }
            }
            $this->fire('InvoicePaid', ['invoiceid' => $id, 'invoice' => null]);
        }

        public function upgrade(int $id): void
        {
            $upgrade = $this->state['tblupgrades'][$id];
            $this->state['services'][$upgrade['relid']] = $upgrade['to'] + $this->state['services'][$upgrade['relid']];
            $ofOptions = $upgrade['type'] === 'configoptions';
            $this->fire($ofOptions ? 'AfterConfigOptionsUpgrade' : 'AfterProductUpgrade', ['upgradeid' => $id]);
        }

        public function refund(int $id): void
        {
            $invoice = &$this->state['invoices'][$id];
            $transactions = ['transaction' => [['amountin' => '0.00', 'amountout' => '9.00']]];
            $invoice = ['status' => 'Refunded', 'transactions' => $transactions] + $invoice;
            $this->fire('InvoiceRefunded', ['invoiceid' => $id]);
        }

        /** A module's function for a service, or for one of its add-ons. */
        public function module(string $function, int $id, int $addon = 0): void
        {
            $statuses = ['Create' => 'Active', 'Suspend' => 'Suspended', 'Unsuspend' => 'Active', 'Terminate' => 'Terminated'];
            if ($addon === 0 && isset($statuses[$function])) {
                $this->state['services'][$id]['status'] = $statuses[$function];
            }
            $this->fire("AfterModule$function", ['params' => ['serviceid' => $id, 'addonId' => $addon, 'userid' => 6]]);
        }

        public function save(int $id, array $changes): void
        {
            $this->fire('PreAdminServiceEdit', ['serviceid' => $id]);
            $this->fire('PreServiceEdit', ['serviceid' => $id]);
            $this->state['services'][$id] = $changes + $this->state['services'][$id];
            $this->fire('ServiceEdit', ['userid' => 6, 'serviceid' => $id]);
            $this->fire('AdminServiceEdit', ['userid' => 6, 'serviceid' => $id]);
        }

        public function requestCancellation(int $id, string $type): void
        {
            $this->state['tblcancelrequests'][$id] = ['id' => 1, 'relid' => (string) $id, 'type' => $type];
            $this->fire('CancellationRequest', ['userid' => 6, 'relid' => $id, 'reason' => '', 'type' => $type]);
        }

        /** WHMCS has no hook for it. */
        public function withdrawCancellation(int $id): void
        {
            unset($this->state['tblcancelrequests'][$id]);
        }

        public function delete(int $id): void
        {
            unset($this->state['services'][$id]);
            $this->fire('ServiceDelete', ['userid' => 6, 'clientId' => 6, 'serviceid' => $id]);
        }

        public function cron(): void
        {
            $this->fire('DailyCronJob', []);
        }

        public function openAdminHomepage(): void
        {
            echo implode($this->fire('AdminHomepage', []));
        }

        public function set(string $name, $value): void
        {
            $this->state[$name] = $value;
        }
    };

    (function () {
        require getenv('SENDERS') . '/whmcs.php';
    })();
    run_double($shop);
}

<?php

/**
 * A test double of FOSSBilling, built from its source (0.5.0 to 0.8.5). It calls hooks and catches exceptions as FOSSBilling's
 * order and invoice services do, and has the same API. No administrator is logged in. An exception in a hook fails the task
 * that it runs in.
 */

require __DIR__ . '/double.php';

class Box_Event
{
    public function __construct(private string $name, private array $parameters, private array $di)
    {
    }

    public function getName()
    {
        return $this->name;
    }

    public function getParameters()
    {
        return $this->parameters;
    }

    public function getDi()
    {
        return new class($this->di) implements ArrayAccess {
            public function __construct(private array $services)
            {
            }

            public function offsetExists(mixed $id): bool
            {
                return isset($this->services[$id]);
            }

            public function offsetGet(mixed $id): mixed
            {
                return $this->services[$id]();
            }

            public function offsetSet(mixed $id, mixed $value): void
            {
            }

            public function offsetUnset(mixed $id): void
            {
            }
        };
    }
}

class FOSSBilling
{
    public function __construct(public array $state)
    {
    }

    /** "api_system" acts as the cron administrator. "api_admin" needs a session: 0.8 throws, earlier versions exit. */
    private function fire(string $event, array $parameters): void
    {
        $services = [
            'api_system' => fn () => new class($this) {
                public function __construct(private FOSSBilling $shop)
                {
                }

                public function __call(string $method, array $arguments)
                {
                    return $this->shop->api($method, $arguments[0]);
                }
            },
            'api_admin' => function () {
                if (($this->state['version'] ?? '0.8') === '0.8') {
                    throw new Exception('Authentication Failed', 201);
                }
                header('Location: /admin/staff/login');
                exit;
            },
        ];
        if (method_exists(\Box\Mod\Billmgrwebhooks\Service::class, $event)) {
            \Box\Mod\Billmgrwebhooks\Service::$event(new Box_Event($event, $parameters, $services));
        }
    }

    public function api(string $method, array $data)
    {
        if (($this->state['broken'] ?? null) === $method) {
            throw new Exception('SQLSTATE[HY000]: General error: 2006 MySQL server has gone away');
        }
        $paid = fn ($one) => $one['status'] === $data['status']
            && in_array($data['order_id'], array_column($one['lines'], 'rel_id'), false);
        switch ($method) {
            case 'order_get':
                return $this->state['orders'][$data['id']] ?? throw new Exception('Order not found');
            case 'invoice_get':
                return $this->state['invoices'][$data['id']] ?? throw new Exception('Invoice was not found');
            case 'invoice_get_list':
                return ['pages' => 1, 'list' => array_values(array_reverse(array_filter($this->state['invoices'], $paid)))];
        }
        throw new Exception("admin API call $method does not exist");
    }

    private function extend(array &$order): void
    {
        $units = ['D' => 'day', 'W' => 'week', 'M' => 'month', 'Y' => 'year'];
        $interval = '+' . (int) $order['period'] . ' ' . $units[substr($order['period'], -1)];
        $order['expires_at'] = add_to_date($order['expires_at'] ?? 'now', $interval, 'Y-m-d H:i:s');
        $order['status'] = 'active';
    }

    /** Receives a payment from a gateway. If $executes is false, only cron runs the tasks. */
    public function pay(int $id, bool $executes = true): void
    {
        $invoice = &$this->state['invoices'][$id];
        foreach ($invoice['lines'] as &$line) {
            $line['status'] = 'pending_setup';
            if (isset($this->state['orders'][$line['rel_id']])) {
                $this->state['orders'][$line['rel_id']]['unpaid_invoice_id'] = null;
            }
        }
        unset($line);
        $invoice = ['status' => 'paid', 'paid_at' => date('Y-m-d H:i:s')] + $invoice;
        $this->fire('onAfterAdminInvoicePaymentReceived', ['id' => $id]);
        if ($executes) {
            $this->cron();
        }
    }

    /** Runs the open tasks. A failed task stays open and runs again, even if it already renewed the order. */
    public function cron(): void
    {
        foreach ($this->state['invoices'] as &$invoice) {
            foreach ($invoice['lines'] as &$line) {
                if ($invoice['status'] !== 'paid' || $line['status'] === 'executed') {
                    continue;
                }
                try {
                    $order = $this->state['orders'][$line['rel_id']];
                    if ($line['task'] === 'activate' && $order['setup'] === 'after_payment') {
                        $this->activate($line['rel_id']);
                    } elseif ($line['task'] === 'renew') {
                        if ($order['status'] === 'suspended') {
                            $this->unsuspend($line['rel_id']);
                        }
                        $this->renew($line['rel_id']);
                    }
                    $line['status'] = 'executed';
                } catch (Exception $error) {
                    $this->state['failed'][] = $error->getMessage();
                }
            }
        }
    }

    public function activate(int $id): void
    {
        $order = &$this->state['orders'][$id];
        if ($order['status'] !== 'active') {
            $this->extend($order);
            $this->fire('onAfterAdminOrderActivate', ['id' => $id]);
        }
    }

    public function renew(int $id): void
    {
        $this->extend($this->state['orders'][$id]);
        $this->fire('onAfterAdminOrderRenew', ['id' => $id]);
    }

    public function suspend(int $id): void
    {
        $this->state['orders'][$id]['status'] = 'suspended';
        $this->fire('onAfterAdminOrderSuspend', ['id' => $id]);
    }

    public function unsuspend(int $id): void
    {
        $this->state['orders'][$id]['status'] = 'active';
        $this->fire('onAfterAdminOrderUnsuspend', ['id' => $id]);
    }

    public function cancel(int $id): void
    {
        $this->state['orders'][$id] = ['status' => 'canceled', 'expires_at' => null] + $this->state['orders'][$id];
        $this->fire('onAfterAdminOrderCancel', ['id' => $id]);
    }

    public function uncancel(int $id): void
    {
        $this->extend($this->state['orders'][$id]);
        $this->fire('onAfterAdminOrderUncancel', ['id' => $id]);
    }

    public function update(int $id, array $data): void
    {
        $this->fire('onBeforeAdminOrderUpdate', ['id' => $id] + $data);
        $this->state['orders'][$id] = $data + $this->state['orders'][$id];
        $this->fire('onAfterAdminOrderUpdate', ['id' => $id]);
    }

    public function delete(int $id): void
    {
        $this->fire('onBeforeAdminOrderDelete', ['id' => $id]);
        unset($this->state['orders'][$id]);
        $this->fire('onAfterAdminOrderDelete', ['id' => $id]);
    }

    public function refund(int $id): void
    {
        $this->fire('onAfterAdminInvoiceRefund', ['id' => $id]);
    }

    public function set(string $name, $value): void
    {
        $this->state[$name] = $value;
    }
}

require getenv('SENDERS') . '/fossbilling/Service.php';
run_double(new FOSSBilling(state_of_double()));

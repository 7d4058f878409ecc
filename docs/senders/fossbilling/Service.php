<?php

namespace Box\Mod\Billmgrwebhooks;

/** Sends what happens to licenses in FOSSBilling. Goes into modules/Billmgrwebhooks/, with manifest.json. */
class Service
{
    /** Orders that are being updated or deleted, as they were. */
    private static array $before = [];

    public static function onAfterAdminOrderActivate(\Box_Event $event): void
    {
        self::guarded($event, fn (\BillmgrWebhooks $webhooks) => self::paid($webhooks, $event, true));
    }

    public static function onAfterAdminOrderRenew(\Box_Event $event): void
    {
        self::guarded($event, fn (\BillmgrWebhooks $webhooks) => self::paid($webhooks, $event, false));
    }

    /** An order that was active before it was paid is not activated again. */
    public static function onAfterAdminInvoicePaymentReceived(\Box_Event $event): void
    {
        self::forEachLine($event, function (\BillmgrWebhooks $webhooks, array $order, array $invoice, array $line) {
            if ($order['status'] === 'active' && $line['task'] === 'activate') {
                self::sendPayment($webhooks, $order, $invoice, $line);
            }
        });
    }

    public static function onAfterAdminInvoiceRefund(\Box_Event $event): void
    {
        self::forEachLine($event, function (\BillmgrWebhooks $webhooks, array $order, array $invoice) {
            $fact = ['payment' => "invoice-{$invoice['id']}"];
            self::send($webhooks, "refund-of-{$fact['payment']}-order-{$order['id']}", 'payment.refunded', $order, $fact);
        });
    }

    public static function onAfterAdminOrderSuspend(\Box_Event $event): void
    {
        self::report($event, 'subscription.paused');
    }

    public static function onAfterAdminOrderUnsuspend(\Box_Event $event): void
    {
        self::report($event, 'subscription.resumed');
    }

    public static function onAfterAdminOrderCancel(\Box_Event $event): void
    {
        self::report($event, 'subscription.cancelled');
    }

    public static function onAfterAdminOrderUncancel(\Box_Event $event): void
    {
        self::report($event, 'subscription.cancel_withdrawn');
    }

    public static function onBeforeAdminOrderUpdate(\Box_Event $event): void
    {
        self::remember($event);
    }

    public static function onAfterAdminOrderUpdate(\Box_Event $event): void
    {
        self::guarded($event, function (\BillmgrWebhooks $webhooks) use ($event) {
            $order = self::license($webhooks, $event, $event->getParameters()['id']);
            $before = self::$before[$order['id'] ?? 0] ?? $order;
            if ($order === null) {
                return;
            }
            $now = time();
            self::send($webhooks, "updated-{$order['id']}-$now", 'subscription.changed', $order);
            $types = [
                'active' => $before['status'] === 'canceled' ? 'subscription.cancel_withdrawn' : 'subscription.resumed',
                'suspended' => 'subscription.paused',
                'canceled' => 'subscription.cancelled',
            ];
            if ($order['status'] !== $before['status'] && isset($types[$order['status']])) {
                self::send($webhooks, "updated-{$order['id']}-to-{$order['status']}-$now", $types[$order['status']], $order);
            }
            if (strtotime((string) $order['expires_at']) > (int) strtotime((string) $before['expires_at'])) {
                self::sendGrant($webhooks, $order);
            }
        });
    }

    public static function onBeforeAdminOrderDelete(\Box_Event $event): void
    {
        self::remember($event);
    }

    public static function onAfterAdminOrderDelete(\Box_Event $event): void
    {
        self::guarded($event, function (\BillmgrWebhooks $webhooks) use ($event) {
            $order = self::$before[$event->getParameters()['id']] ?? null;
            if ($order !== null) {
                self::send($webhooks, "deleted-{$order['id']}", 'subscription.cancelled', $order);
            }
        });
    }

    /**
     * FOSSBilling runs hooks inside of its own work: an exception would fail the payment, the activation or the renewal, and
     * FOSSBilling would repeat it.
     */
    private static function guarded(\Box_Event $event, callable $hook): void
    {
        try {
            include_once (getenv('BILLMGR_WEBHOOKS') ?: '/opt/billmgr-webhooks') . '/billmgr-webhooks.php';
            $hook(new \BillmgrWebhooks());
        } catch (\Throwable $error) {
            error_log("billmgr-webhooks: {$event->getName()}: {$error->getMessage()}");
        }
    }

    /**
     * "api_admin" needs an administrator's session. Without one, as in a gateway's callback, FOSSBilling throws or, before
     * 0.8, redirects and exits in the middle of the payment.
     */
    private static function api(\Box_Event $event)
    {
        return $event->getDi()['api_system'];
    }

    /** The order, if it is a license. */
    private static function license(\BillmgrWebhooks $webhooks, \Box_Event $event, $id): ?array
    {
        $order = self::api($event)->order_get(['id' => $id]);
        return $webhooks->sells($order['product_id']) ? $order : null;
    }

    private static function remember(\Box_Event $event): void
    {
        self::guarded($event, function (\BillmgrWebhooks $webhooks) use ($event) {
            $id = $event->getParameters()['id'];
            self::$before[$id] = self::license($webhooks, $event, $id);
        });
    }

    private static function report(\Box_Event $event, string $type): void
    {
        self::guarded($event, function (\BillmgrWebhooks $webhooks) use ($event, $type) {
            $order = self::license($webhooks, $event, $event->getParameters()['id']);
            if ($order !== null) {
                self::send($webhooks, "$type-{$order['id']}-" . time(), $type, $order);
            }
        });
    }

    private static function forEachLine(\Box_Event $event, callable $send): void
    {
        self::guarded($event, function () use ($event, $send) {
            $invoice = self::api($event)->invoice_get(['id' => $event->getParameters()['id']]);
            foreach (self::orderLines($invoice) as $line) {
                // One order may be deleted; the others count all the same.
                self::guarded($event, function (\BillmgrWebhooks $webhooks) use ($event, $send, $invoice, $line) {
                    $order = self::license($webhooks, $event, $line['rel_id']);
                    if ($order !== null) {
                        $send($webhooks, $order, $invoice, $line);
                    }
                });
            }
        });
    }

    private static function orderLines(array $invoice): array
    {
        $isOfOrder = fn (array $line) => $line['type'] === 'order' && in_array($line['task'], ['activate', 'renew'], true);
        return array_filter($invoice['lines'], $isOfOrder);
    }

    /** FOSSBilling marks an invoice line as executed after these hooks, so what pays for the change is still open. */
    private static function paid(\BillmgrWebhooks $webhooks, \Box_Event $event, bool $isActivation): void
    {
        $order = self::license($webhooks, $event, $event->getParameters()['id']);
        if ($order === null) {
            return;
        }
        $isPaid = false;
        $invoices = self::api($event)->invoice_get_list(['order_id' => $order['id'], 'status' => 'paid'])['list'];
        foreach ($invoices as $invoice) {
            foreach (self::orderLines($invoice) as $line) {
                $pays = $line['status'] !== 'executed' || ($isActivation && $line['task'] === 'activate');
                if ((int) $line['rel_id'] === (int) $order['id'] && $pays) {
                    self::sendPayment($webhooks, $order, $invoice, $line);
                    $isPaid = true;
                }
            }
        }
        if (!$isPaid) {
            self::sendGrant($webhooks, $order);
        }
    }

    /** One line of an invoice pays one period. Its end is sent if it is not one of whole months. */
    private static function sendPayment(\BillmgrWebhooks $webhooks, array $order, array $invoice, array $line): void
    {
        $isInMonths = preg_match('/^(\d+)([MY])$/D', (string) $line['period'], $period);
        $covers = $isInMonths
            ? ['months' => $period[1] * ($period[2] === 'Y' ? 12 : 1)]
            : ['paidThrough' => self::through($order)];
        if ($isInMonths || $order['expires_at']) {
            $fact = ['payment' => "invoice-{$invoice['id']}"] + $covers;
            $id = "{$fact['payment']}-order-{$order['id']}";
            self::send($webhooks, $id, 'payment.succeeded', $order, $fact, $invoice['paid_at']);
        }
    }

    /** Time that the shop gave without an invoice. An order with an unpaid one waits for its payment. */
    private static function sendGrant(\BillmgrWebhooks $webhooks, array $order): void
    {
        $isServed = in_array($order['status'], ['active', 'suspended'], true);
        if ($isServed && $order['expires_at'] && !$order['unpaid_invoice_id']) {
            $through = self::through($order);
            $fact = ['payment' => "order-{$order['id']}-to-$through", 'paidThrough' => $through];
            self::send($webhooks, $fact['payment'], 'payment.succeeded', $order, $fact);
        }
    }

    private static function through(array $order): string
    {
        return gmdate('Y-m-d\TH:i:s\Z', strtotime((string) $order['expires_at']));
    }

    private static function send(
        \BillmgrWebhooks $webhooks,
        string $fact,
        string $type,
        array $order,
        array $more = [],
        ?string $at = null
    ): void {
        $webhooks->send("fossbilling-$fact", $type, $more + [
            'subscription' => "fossbilling-{$order['id']}",
            // The fields of an order form are the options of an order.
            'items' => $webhooks->items("fossbilling:{$order['product_id']}", $order['quantity'], $order['config'] ?? []),
            'customer' => ['id' => $order['client_id'], 'email' => $order['client']['email'] ?? null],
        ], $at);
    }
}

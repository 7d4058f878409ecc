<?php

namespace Box\Mod\Billmgrwebhooks;

require_once (getenv('BILLMGR_WEBHOOKS') ?: '/opt/billmgr-webhooks') . '/billmgr-webhooks.php';

/** FOSSBilling tells what happens to licenses. Put it and manifest.json into modules/Billmgrwebhooks/. */
class Service
{
    public static function onAfterAdminOrderActivate(\Box_Event $event): void
    {
        self::paid($event);
    }

    public static function onAfterAdminOrderRenew(\Box_Event $event): void
    {
        self::paid($event);
    }

    public static function onAfterAdminOrderSuspend(\Box_Event $event): void
    {
        self::tell($event, 'subscription.paused');
    }

    public static function onAfterAdminOrderUnsuspend(\Box_Event $event): void
    {
        self::tell($event, 'subscription.resumed');
    }

    public static function onAfterAdminOrderUpdate(\Box_Event $event): void
    {
        self::tell($event, 'subscription.changed');
    }

    public static function onAfterAdminOrderCancel(\Box_Event $event): void
    {
        self::tell($event, 'subscription.cancelled');
    }

    public static function onAfterAdminOrderUncancel(\Box_Event $event): void
    {
        self::tell($event, 'subscription.cancel_withdrawn');
    }

    /** The order itself is gone, so it is not known what it was for: the end of what was never told does nothing. */
    public static function onAfterAdminOrderDelete(\Box_Event $event): void
    {
        $id = $event->getParameters()['id'];
        (new \BillmgrWebhooks())->send("fossbilling-deleted-$id", 'subscription.cancelled', ['subscription' => $id]);
    }

    /** FOSSBilling moves the expiry on when an order is activated and when it is renewed. */
    private static function paid(\Box_Event $event): void
    {
        $order = self::orderOf($event);
        if (!empty($order['expires_at'])) {
            $through = gmdate('Y-m-d\TH:i:s\Z', strtotime($order['expires_at']));
            $payment = "order-{$order['id']}-to-$through";
            self::tell($event, 'payment.succeeded', ['payment' => $payment, 'paidThrough' => $through], $payment);
        }
    }

    private static function tell(\Box_Event $event, string $type, array $more = [], ?string $fact = null): void
    {
        $webhooks = new \BillmgrWebhooks();
        $order = self::orderOf($event);
        if (!$webhooks->sells($order['product_id'])) {
            return;
        }
        $fact ??= "$type-{$order['id']}-" . time();
        $webhooks->send("fossbilling-$fact", $type, $more + [
            'subscription' => $order['id'],
            'plan' => "fossbilling:{$order['product_id']}",
            'quantity' => $order['quantity'],
            'customer' => ['id' => $order['client_id']],
        ]);
    }

    private static function orderOf(\Box_Event $event): array
    {
        return $event->getDi()['api_admin']->order_get(['id' => $event->getParameters()['id']]);
    }
}

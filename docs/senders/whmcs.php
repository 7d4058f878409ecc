<?php

/** Sends what happens to licenses in WHMCS. Goes into includes/hooks/ as billmgr_webhooks.php. */

use WHMCS\Database\Capsule;

if (!defined('WHMCS')) {
    die('This file cannot be accessed directly');
}

/** Adds a hook that cannot fail WHMCS: an exception in it would end the page, or the cron run, that it runs in. */
function billmgr_webhooks_hook(string $name, callable $hook): void
{
    add_hook($name, 100, function ($vars) use ($name, $hook) {
        try {
            include_once (getenv('BILLMGR_WEBHOOKS') ?: '/opt/billmgr-webhooks') . '/billmgr-webhooks.php';
            return $hook(new BillmgrWebhooks(), (array) $vars);
        } catch (Throwable $error) {
            error_log("billmgr-webhooks: $name: {$error->getMessage()}");
        }
    });
}

function billmgr_webhooks_api(string $command, array $values): array
{
    $found = localAPI($command, $values);
    if (($found['result'] ?? '') !== 'success') {
        throw new RuntimeException("$command: " . ($found['message'] ?? 'no result'));
    }
    return $found;
}

/** A list in an answer, which WHMCS sends as empty text if nothing is in it. */
function billmgr_webhooks_list(array $answer, string $many, string $one): array
{
    return is_array($answer[$many] ?? '') ? $answer[$many][$one] ?? [] : [];
}

/** The service, if it is a license. */
function billmgr_webhooks_license(BillmgrWebhooks $webhooks, $id): ?array
{
    $found = billmgr_webhooks_api('GetClientsProducts', ['serviceid' => $id]);
    $service = billmgr_webhooks_list($found, 'products', 'product')[0] ?? null;
    return $service !== null && $webhooks->sells($service['pid']) ? $service : null;
}

/** The service of an upgrade; null if it upgrades an add-on. WHMCS has no call for it. */
function billmgr_webhooks_upgraded($upgrade)
{
    return Capsule::table('tblupgrades')->where('id', $upgrade)->where('type', '!=', 'addon')->value('relid');
}

/** The licenses on an invoice, upgraded ones included. A line of an add-on holds the add-on's id, not the service's. */
function billmgr_webhooks_licenses_on(BillmgrWebhooks $webhooks, array $invoice): array
{
    $ids = [];
    foreach (billmgr_webhooks_list($invoice, 'items', 'item') as $line) {
        if ($line['type'] === 'Hosting') {
            $ids[] = $line['relid'];
        } elseif ($line['type'] === 'Upgrade') {
            $ids[] = billmgr_webhooks_upgraded($line['relid']);
        }
    }
    return array_filter(array_map(fn ($id) => billmgr_webhooks_license($webhooks, $id), array_unique(array_filter($ids))));
}

function billmgr_webhooks_send(
    BillmgrWebhooks $webhooks,
    string $fact,
    string $type,
    array $service,
    array $more = [],
    ?string $at = null
): void {
    try {
        $client = billmgr_webhooks_api('GetClientsDetails', ['clientid' => $service['clientid']]);
    } catch (RuntimeException $error) {
        // The address helps an operator to find the customer. The event matters more.
        BillmgrWebhooks::log($error->getMessage());
    }
    $options = array_column(billmgr_webhooks_list($service, 'configoptions', 'configoption'), 'value', 'option');
    $webhooks->send("whmcs-$fact-service-{$service['id']}", $type, $more + [
        'subscription' => "whmcs-{$service['id']}",
        'items' => $webhooks->items("whmcs:{$service['pid']}", $service['qty'] ?? null, $options),
        'customer' => ['id' => $service['clientid'], 'email' => $client['client']['email'] ?? null],
    ], $at);
}

/** WHMCS reports no withdrawn cancellation, so each scheduled end is compared with the requests that are left. */
function billmgr_webhooks_withdraw(BillmgrWebhooks $webhooks): void
{
    $ends = preg_grep('/^whmcs-\d+$/D', $webhooks->scheduledEnds());
    if ($ends === []) {
        return;
    }
    $requests = billmgr_webhooks_api('GetCancelledPackages', ['limitnum' => 1000000]);
    $requested = array_column(billmgr_webhooks_list($requests, 'packages', 'package'), 'relid');
    foreach ($ends as $subscription) {
        $id = substr($subscription, strlen('whmcs-'));
        $service = in_array($id, array_map('strval', $requested), true) ? null : billmgr_webhooks_license($webhooks, $id);
        if ($service !== null && in_array($service['status'], ['Active', 'Suspended'], true)) {
            billmgr_webhooks_send($webhooks, 'withdrawn-' . time(), 'subscription.cancel_withdrawn', $service);
        }
    }
}

billmgr_webhooks_hook('InvoicePaid', function (BillmgrWebhooks $webhooks, array $vars) {
    $invoice = billmgr_webhooks_api('GetInvoice', ['invoiceid' => $vars['invoiceid']]);
    $payment = "invoice-{$vars['invoiceid']}";
    $refunds = array_filter(array_column(billmgr_webhooks_list($invoice, 'transactions', 'transaction'), 'amountout'));
    foreach (billmgr_webhooks_licenses_on($webhooks, $invoice) as $service) {
        if (array_sum($refunds) > 0) {
            $fact = ['payment' => $payment, 'reversed' => true];
            billmgr_webhooks_send($webhooks, "$payment-again-" . time(), 'payment.refunded', $service, $fact);
        }
        // WHMCS has moved the due date by now. It never renews a service without one.
        if (strtotime($service['nextduedate']) > 0) {
            $fact = ['payment' => $payment, 'paidThrough' => $service['nextduedate']];
            billmgr_webhooks_send($webhooks, $payment, 'payment.succeeded', $service, $fact, $invoice['datepaid']);
        }
    }
    billmgr_webhooks_withdraw($webhooks);
});

billmgr_webhooks_hook('InvoiceRefunded', function (BillmgrWebhooks $webhooks, array $vars) {
    $invoice = billmgr_webhooks_api('GetInvoice', ['invoiceid' => $vars['invoiceid']]);
    $fact = ['payment' => "invoice-{$vars['invoiceid']}"];
    foreach (billmgr_webhooks_licenses_on($webhooks, $invoice) as $service) {
        billmgr_webhooks_send($webhooks, "refund-of-{$fact['payment']}-" . time(), 'payment.refunded', $service, $fact);
    }
});

foreach ([
    'AfterModuleSuspend' => 'subscription.paused',
    'AfterModuleUnsuspend' => 'subscription.resumed',
    'AfterModuleTerminate' => 'subscription.cancelled',
    'AfterModuleCreate' => 'subscription.cancel_withdrawn',
    'AfterModuleChangePackage' => 'subscription.changed',
] as $name => $type) {
    billmgr_webhooks_hook($name, function (BillmgrWebhooks $webhooks, array $vars) use ($name, $type) {
        // These hooks also run for the product add-ons of a service, with the service's id.
        $isAddon = !empty($vars['params']['addonId']);
        $service = $isAddon ? null : billmgr_webhooks_license($webhooks, $vars['params']['serviceid']);
        if ($service !== null) {
            billmgr_webhooks_send($webhooks, "$name-" . time(), $type, $service);
        }
    });
}

foreach (['AfterProductUpgrade', 'AfterConfigOptionsUpgrade'] as $name) {
    billmgr_webhooks_hook($name, function (BillmgrWebhooks $webhooks, array $vars) use ($name) {
        $id = billmgr_webhooks_upgraded($vars['upgradeid']);
        $service = $id === null ? null : billmgr_webhooks_license($webhooks, $id);
        if ($service !== null) {
            billmgr_webhooks_send($webhooks, "$name-{$vars['upgradeid']}", 'subscription.changed', $service);
        }
    });
}

/** The services that are being saved, as they were. */
$edited = [];
foreach (['PreServiceEdit', 'PreAdminServiceEdit'] as $name) {
    billmgr_webhooks_hook($name, function (BillmgrWebhooks $webhooks, array $vars) use (&$edited) {
        $edited += [$vars['serviceid'] => billmgr_webhooks_license($webhooks, $vars['serviceid'])];
    });
}
foreach (['ServiceEdit', 'AdminServiceEdit'] as $name) {
    billmgr_webhooks_hook($name, function (BillmgrWebhooks $webhooks, array $vars) use (&$edited) {
        $service = billmgr_webhooks_license($webhooks, $vars['serviceid']);
        $isKnown = array_key_exists($vars['serviceid'], $edited);
        $before = $edited[$vars['serviceid']] ?? null;
        unset($edited[$vars['serviceid']]);
        if ($service === null || !$isKnown) {
            return;
        }
        // The service was of another product, and nothing was sent for it.
        $before ??= ['nextduedate' => ''] + $service;
        $now = time();
        billmgr_webhooks_send($webhooks, "edited-$now", 'subscription.changed', $service);
        $types = [
            'Active' => $before['status'] === 'Suspended' ? 'subscription.resumed' : 'subscription.cancel_withdrawn',
            'Suspended' => 'subscription.paused',
            'Terminated' => 'subscription.cancelled',
            'Cancelled' => 'subscription.cancelled',
            'Fraud' => 'subscription.cancelled',
        ];
        $status = $service['status'];
        if ($before['status'] !== $status && isset($types[$status])) {
            billmgr_webhooks_send($webhooks, "edited-to-$status-$now", $types[$status], $service);
        }
        $moved = (int) strtotime($service['nextduedate']) <=> (int) strtotime($before['nextduedate']);
        if ($moved < 0) {
            BillmgrWebhooks::log("service {$service['id']}: nothing can be sent for a due date that moves back");
        } elseif ($moved > 0 && in_array($status, ['Active', 'Suspended'], true)) {
            $through = $service['nextduedate'];
            $fact = ['payment' => "due-{$service['id']}-$through", 'paidThrough' => $through];
            billmgr_webhooks_send($webhooks, $fact['payment'], 'payment.succeeded', $service, $fact);
        }
    });
}

billmgr_webhooks_hook('CancellationRequest', function (BillmgrWebhooks $webhooks, array $vars) {
    $service = billmgr_webhooks_license($webhooks, $vars['relid']);
    // The termination reports an immediate one. Without "endsAt", the end is that of what is paid.
    if ($service !== null && stripos($vars['type'], 'immediate') === false) {
        billmgr_webhooks_send($webhooks, 'CancellationRequest-' . time(), 'subscription.cancel_scheduled', $service);
    }
});

/** WHMCS has deleted the service, so nothing shows its product. The end of an unknown subscription changes nothing. */
billmgr_webhooks_hook('ServiceDelete', function (BillmgrWebhooks $webhooks, array $vars) {
    $subscription = "whmcs-{$vars['serviceid']}";
    $webhooks->send("$subscription-deleted", 'subscription.cancelled', ['subscription' => $subscription]);
});

billmgr_webhooks_hook('DailyCronJob', fn (BillmgrWebhooks $webhooks) => billmgr_webhooks_withdraw($webhooks));

billmgr_webhooks_hook('AdminHomepage', function (BillmgrWebhooks $webhooks) {
    $count = count($webhooks->unsent());
    $hint = '<code>php billmgr-webhooks.php list</code> shows them.';
    return $count === 0 ? '' : "<p>billmgr-webhooks: $count not sent. $hint</p>";
});

<?php

/** WHMCS tells what happens to licenses. Put it into includes/hooks/ as billmgr_webhooks.php. */

if (!defined('WHMCS')) {
    die('This file cannot be accessed directly');
}
require_once (getenv('BILLMGR_WEBHOOKS') ?: '/opt/billmgr-webhooks') . '/billmgr-webhooks.php';

/** Those of the services that are licenses. */
function billmgr_webhooks_services(array $ids): array
{
    $services = [];
    foreach (array_unique($ids) as $id) {
        $found = localAPI('GetClientsProducts', ['serviceid' => $id]);
        $services[] = $found['products']['product'][0] ?? ['pid' => null];
    }
    return array_filter($services, fn ($service) => (new BillmgrWebhooks())->sells($service['pid']));
}

/** Those of the services on an invoice that are licenses. */
function billmgr_webhooks_services_on(array $invoice): array
{
    $lines = array_filter($invoice['items']['item'] ?? [], fn ($line) => $line['type'] === 'Hosting');
    return billmgr_webhooks_services(array_column($lines, 'relid'));
}

function billmgr_webhooks_tell(string $fact, string $type, array $service, array $more = [], ?string $at = null): void
{
    $webhooks = new BillmgrWebhooks();
    $options = array_column($service['configoptions']['configoption'] ?? [], 'value', 'option');
    $webhooks->send("whmcs-$fact-service-{$service['id']}", $type, $more + $webhooks->quantityIn($options) + [
        'subscription' => $service['id'],
        'plan' => "whmcs:{$service['pid']}",
        'customer' => ['id' => $service['clientid']],
    ], $at);
}

add_hook('InvoicePaid', 100, function (array $vars) {
    $invoice = localAPI('GetInvoice', ['invoiceid' => $vars['invoiceid']]);
    foreach (billmgr_webhooks_services_on($invoice) as $service) {
        // WHMCS has moved the due date on by now. A service without one is never renewed.
        if (strtotime($service['nextduedate']) > 0) {
            $fact = ['payment' => "invoice-{$vars['invoiceid']}", 'paidThrough' => $service['nextduedate']];
            billmgr_webhooks_tell($fact['payment'], 'payment.succeeded', $service, $fact, $invoice['datepaid']);
        }
    }
});

add_hook('InvoiceRefunded', 100, function (array $vars) {
    $invoice = localAPI('GetInvoice', ['invoiceid' => $vars['invoiceid']]);
    foreach (billmgr_webhooks_services_on($invoice) as $service) {
        $fact = ['payment' => "invoice-{$vars['invoiceid']}"];
        billmgr_webhooks_tell("refund-of-{$fact['payment']}", 'payment.refunded', $service, $fact);
    }
});

foreach ([
    'AfterModuleSuspend' => 'subscription.paused',
    'AfterModuleUnsuspend' => 'subscription.resumed',
    'AfterModuleTerminate' => 'subscription.cancelled',
    'AfterModuleCreate' => 'subscription.cancel_withdrawn',
    'AfterModuleChangePackage' => 'subscription.changed',
] as $hook => $type) {
    add_hook($hook, 100, function (array $vars) use ($hook, $type) {
        foreach (billmgr_webhooks_services([$vars['params']['serviceid']]) as $service) {
            billmgr_webhooks_tell("$hook-" . time(), $type, $service);
        }
    });
}

add_hook('CancellationRequest', 100, function (array $vars) {
    // An immediate one is told when the service is terminated.
    if (stripos($vars['type'], 'immediate') === false) {
        foreach (billmgr_webhooks_services([$vars['relid']]) as $service) {
            $end = ['endsAt' => $service['nextduedate']];
            billmgr_webhooks_tell('CancellationRequest-' . time(), 'subscription.cancel_scheduled', $service, $end);
        }
    }
});

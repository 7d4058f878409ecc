<?php

return [
    'url' => 'https://abc123.execute-api.eu-central-1.amazonaws.com/webhooks/standard',
    // One of the secrets listed under "standard". Make one: echo "whsec_$(openssl rand -base64 32)"
    'secret' => 'whsec_...',
    // A directory outside the web root that the web server and cron's user can write.
    'spool' => '/var/spool/billmgr-webhooks',
    // The shop's own ids of the products that are licenses.
    'products' => [12, 13],
    // The shop's option that holds the quantity of the plan. Null: the service's own quantity, or 1.
    'quantity' => null,
    // The shop's other options, by name: each adds an extra of the catalog, with the chosen value as its quantity.
    'options' => [
        'Nodes' => 'vm6-node',
        // If a choice is text, the units of each choice.
        'Virtual machines' => ['soldAs' => 'vm6-vms', 'units' => ['Up to 100' => 10, 'Up to 500' => 50]],
    ],
];

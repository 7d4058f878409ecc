<?php

return [
    'url' => 'https://abc123.execute-api.eu-central-1.amazonaws.com/webhooks/standard',
    // One of the secrets that are listed under "standard". Made by: echo "whsec_$(openssl rand -base64 32)"
    'secret' => 'whsec_...',
    // Outside of what the web server serves, and writable for it and for cron's user.
    'spool' => '/var/spool/billmgr-webhooks',
    // The shop's own ids of the products that are licenses.
    'products' => [12, 13],
    // WHMCS: the name of the configurable option that is the quantity, where there is one.
    'quantity' => null,
];

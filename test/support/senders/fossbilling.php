<?php

/** As much of FOSSBilling as the sender touches. Arguments: orders by id, and the hooks that run: [[name, order id]]. */
[, $orders, $fired] = array_map(fn ($argument) => json_decode($argument, true), $argv);

class Box_Event
{
    public function __construct(private int $id)
    {
    }

    public function getParameters(): array
    {
        return ['id' => $this->id];
    }

    public function getDi(): array
    {
        return ['api_admin' => new class {
            public function order_get(array $data): array
            {
                return $GLOBALS['orders'][$data['id']] ?? throw new Exception('Order not found');
            }
        }];
    }
}

require getenv('SENDERS') . '/fossbilling/Service.php';
foreach ($fired as [$name, $id]) {
    [\Box\Mod\Billmgrwebhooks\Service::class, $name](new Box_Event($id));
}

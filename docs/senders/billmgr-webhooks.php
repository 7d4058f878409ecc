<?php

/**
 * Sends events to /webhooks/standard, signed by Standard Webhooks 1.0.0. The spool keeps each event until the endpoint
 * answers 200. Cron sends what is left under the same id, so the endpoint counts each event once.
 *
 * Needs PHP 7.4 or later with curl. Run as a program: no argument sends the spool, "list" shows it, "retry" also sends
 * again what the endpoint refused.
 */
final class BillmgrWebhooks
{
    /** The same event would get these answers again, so it waits for an operator. */
    private const REFUSED = [400, 405, 413];

    private const MAX_UNITS = 1000000;

    /** After the first failure, a page of the shop leaves its other events to cron and waits no longer. */
    private static bool $isDown = false;

    private array $config;

    public function __construct(?array $config = null)
    {
        $file = __DIR__ . '/config.php';
        if ($config === null && !is_file($file)) {
            throw new RuntimeException("$file is missing; nothing is sent");
        }
        $this->config = $config ?? require $file;
    }

    public static function log(string $message): void
    {
        error_log("billmgr-webhooks: $message");
    }

    /** Whether config.php lists a product of the shop as a license. */
    public function sells($product): bool
    {
        return in_array((string) $product, array_map('strval', $this->config['products'] ?? []), true);
    }

    /**
     * What a service holds: its plan, and an item for each configured option. Null, with a line in the log, if the units of
     * an option cannot be read: a guess could end the license of a customer who paid.
     *
     * @param int|string|null $quantity of the service itself; null if the shop has none
     * @param array $options the chosen value of each option, by the option's name
     */
    public function items(string $plan, $quantity, array $options): ?array
    {
        try {
            $count = $quantity === null ? null : $this->units('quantity', $quantity);
            $option = $this->config['quantity'] ?? null;
            if ($option !== null && array_key_exists($option, $options)) {
                $count = ($count ?? 1) * $this->units($option, $options[$option]);
            }
            if ($count === 0) {
                throw new UnexpectedValueException('the quantity is 0; expected 1 or more');
            }
            $items = [['plan' => $plan] + ($count === null ? [] : ['quantity' => $count])];
            foreach ($this->config['options'] ?? [] as $name => $extra) {
                if (array_key_exists($name, $options)) {
                    ['soldAs' => $soldAs, 'units' => $units] = (array) $extra + ['soldAs' => $extra, 'units' => null];
                    $count = $this->units($name, $options[$name], $units);
                    $items[] = ['plan' => $soldAs, 'quantity' => $count * ($quantity ?? 1)];
                }
            }
            return $items;
        } catch (UnexpectedValueException $error) {
            self::log("$plan: no items are sent: {$error->getMessage()}");
            return null;
        }
    }

    private function units(string $name, $value, ?array $units = null): int
    {
        $choice = is_bool($value) ? (string) (int) $value : trim(is_scalar($value) ? (string) $value : '');
        $words = ['yes' => 1, 'on' => 1, 'true' => 1, 'no' => 0, 'off' => 0, 'false' => 0];
        $text = (string) ($units === null ? $words[strtolower($choice)] ?? $choice : $units[$choice] ?? '');
        if (!preg_match('/^\d{1,7}$/D', $text) || (int) $text > self::MAX_UNITS) {
            $expected = $units === null ? 'a whole number' : 'a choice that config.php names';
            throw new UnexpectedValueException("option \"$name\" is " . json_encode($value) . "; expected $expected");
        }
        return (int) $text;
    }

    /**
     * Sends a fact. It never throws: the shop's own work must not fail because of it.
     *
     * @param string $id the same for the same fact, 200 characters at most
     * @param string|null $at when it happened, in the shop's time zone; null means now
     */
    public function send(string $id, string $type, array $data, ?string $at = null): void
    {
        try {
            if ($type === 'subscription.changed' && empty($data['items'])) {
                return;
            }
            // Databases of shops write "0000-00-00 00:00:00" for an unknown time.
            $happened = new DateTimeImmutable(strtotime((string) $at) > 0 ? $at : 'now');
            $time = $happened->setTimezone(new DateTimeZone('UTC'))->format('Y-m-d\TH:i:s.v\Z');
            $flags = JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE;
            $event = ['id' => $id, 'body' => json_encode(['type' => $type, 'timestamp' => $time, 'data' => $data], $flags)];
            $file = $this->spool() . '/' . sha1($id) . '.json';
            $this->keep($file, $event);
            $this->rememberEnd($type, (string) $data['subscription']);
            if (!self::$isDown) {
                self::$isDown = !$this->settle($file, $event);
            }
        } catch (Throwable $error) {
            self::log("$id: {$error->getMessage()}");
        }
    }

    /** Subscriptions with a scheduled end, for shops that report no withdrawal of it. */
    public function scheduledEnds(): array
    {
        return array_map('file_get_contents', glob($this->spool() . '/end-*') ?: []);
    }

    private function rememberEnd(string $type, string $subscription): void
    {
        $file = $this->spool() . '/end-' . sha1($subscription);
        if ($type === 'subscription.cancel_scheduled') {
            @file_put_contents($file, $subscription);
        } elseif (in_array($type, ['subscription.cancel_withdrawn', 'subscription.cancelled'], true)) {
            @unlink($file);
        }
    }

    /** Sends the spool, oldest event first, until the endpoint gives no answer. Returns how many are left. */
    public function flush(): int
    {
        $lock = fopen($this->spool() . '/.lock', 'c');
        if ($lock !== false && flock($lock, LOCK_EX | LOCK_NB)) {
            foreach ($this->files('*.json') as $file) {
                // A page of the shop may have sent it in the meantime.
                $event = json_decode((string) @file_get_contents($file), true);
                if ($event !== null && !$this->settle($file, $event)) {
                    break;
                }
            }
        }
        return count($this->files('*.json'));
    }

    /** A line for each event that the endpoint has not taken. */
    public function unsent(): array
    {
        $lines = [];
        foreach ($this->files('*.json*') as $file) {
            $event = json_decode((string) @file_get_contents($file), true);
            $body = json_decode($event['body'] ?? '', true);
            if ($body !== null) {
                $state = substr($file, -8) === '.refused' ? 'refused' : 'waiting';
                $about = "{$body['timestamp']}  {$body['type']}  {$event['id']}";
                $lines[] = "$state  $about  " . ($event['answer'] ?? 'not sent yet');
            }
        }
        return $lines;
    }

    public function retry(): int
    {
        foreach ($this->files('*.json.refused') as $file) {
            rename($file, substr($file, 0, -strlen('.refused')));
        }
        return $this->flush();
    }

    private function files(string $pattern): array
    {
        $files = preg_grep('/\.json(\.refused)?$/D', glob($this->spool() . "/$pattern") ?: []);
        usort($files, fn ($a, $b) => (int) @filemtime($a) <=> (int) @filemtime($b));
        return $files;
    }

    private function spool(): string
    {
        return $this->needed('spool');
    }

    private function needed(string $name): string
    {
        if (empty($this->config[$name])) {
            throw new RuntimeException(__DIR__ . "/config.php: $name is missing");
        }
        return $this->config[$name];
    }

    private function keep(string $file, array $event): void
    {
        $new = $file . '.' . getmypid();
        $text = json_encode($event, JSON_THROW_ON_ERROR);
        $time = @filemtime($file) ?: time();
        if (@file_put_contents($new, $text) !== strlen($text) || !@rename($new, $file)) {
            self::log("{$event['id']}: cannot be kept in {$this->spool()}");
        }
        @touch($file, $time);
    }

    /** Sends an event. False means that the endpoint may take it, or any other event, later. */
    private function settle(string $file, array $event): bool
    {
        [$status, $why] = $this->post($event['id'], $event['body']);
        if ($status === 200) {
            @unlink($file);
            return true;
        }
        $answer = $status === 0 ? "no answer: $why" : "answered $status: $why";
        self::log("{$event['id']}: $answer");
        $this->keep($file, ['answer' => $answer] + $event);
        return in_array($status, self::REFUSED, true) && @rename($file, "$file.refused");
    }

    /** The answer's status, or 0 without an answer, and the reason. */
    private function post(string $id, string $body): array
    {
        $now = time();
        $key = base64_decode(substr($this->needed('secret'), strlen('whsec_')));
        $signature = base64_encode(hash_hmac('sha256', "$id.$now.$body", $key, true));
        $curl = curl_init($this->needed('url'));
        curl_setopt_array($curl, [
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT => 3,
            CURLOPT_TIMEOUT => 10,
            CURLOPT_HTTPHEADER => [
                'Content-Type: application/json',
                "webhook-id: $id",
                "webhook-timestamp: $now",
                "webhook-signature: v1,$signature",
            ],
        ]);
        $answer = curl_exec($curl);
        $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        return [$status, $status === 0 ? curl_error($curl) : substr((string) $answer, 0, 200)];
    }
}

if (PHP_SAPI === 'cli' && realpath($_SERVER['SCRIPT_FILENAME'] ?? '') === __FILE__) {
    $webhooks = new BillmgrWebhooks();
    switch ($argv[1] ?? 'send') {
        case 'send':
            exit($webhooks->flush() === 0 ? 0 : 1);
        case 'retry':
            exit($webhooks->retry() === 0 ? 0 : 1);
        case 'list':
            $unsent = $webhooks->unsent();
            echo implode("\n", $unsent), $unsent === [] ? "Nothing waits.\n" : "\n";
            exit($unsent === [] ? 0 : 1);
        default:
            fwrite(STDERR, "billmgr-webhooks.php [send | list | retry]\n");
            exit(2);
    }
}

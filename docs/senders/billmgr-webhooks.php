<?php

/**
 * Sends events to /webhooks/standard, signed by Standard Webhooks 1.0.0. Each is kept in the spool until it is answered
 * 200. What cannot be sent at once is sent later by cron, under the same id, so that it counts once.
 *
 * Needs PHP 7.4 or later with curl. Run as a program, it sends what is kept.
 */
final class BillmgrWebhooks
{
    /** Answers that the same event would get again: it is put aside for a person. */
    private const REFUSED = [400, 405, 413];

    private array $config;

    public function __construct(?array $config = null)
    {
        $file = __DIR__ . '/config.php';
        $this->config = $config ?? (is_file($file) ? require $file : []);
    }

    /** Whether a product of the shop is listed as a license. Others are not told. */
    public function sells($product): bool
    {
        return in_array((string) $product, array_map('strval', $this->config['products'] ?? []), true);
    }

    /** The number of units that a service's options tell, where config.php names the option. */
    public function quantityIn(array $options): array
    {
        $name = $this->config['quantity'] ?? '';
        return isset($options[$name]) ? ['quantity' => (int) $options[$name]] : [];
    }

    /**
     * Tells a fact. Never throws: what happens in the shop must not fail because of it.
     *
     * @param string $id the same for the same fact, 200 characters at most
     * @param string|null $at when it happened, in the shop's time zone; now where it is null
     */
    public function send(string $id, string $type, array $data, ?string $at = null): void
    {
        try {
            // "0000-00-00 00:00:00" is how databases of shops say that they do not know.
            $happened = new DateTimeImmutable(strtotime((string) $at) > 0 ? $at : 'now');
            $time = $happened->setTimezone(new DateTimeZone('UTC'))->format('Y-m-d\TH:i:s.v\Z');
            $flags = JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE;
            $body = json_encode(['type' => $type, 'timestamp' => $time, 'data' => $data], $flags);
            $file = $this->keep($id, $body);
            $this->settle($file, $this->post($id, $body));
        } catch (Throwable $error) {
            error_log("billmgr-webhooks: $id: {$error->getMessage()}");
        }
    }

    /** Sends what is kept, oldest first, until there is no answer. Returns how many are left. */
    public function flush(): int
    {
        $lock = fopen($this->needed('spool') . '/.lock', 'c');
        if ($lock !== false && flock($lock, LOCK_EX | LOCK_NB)) {
            $files = $this->kept();
            usort($files, fn ($a, $b) => (int) @filemtime($a) <=> (int) @filemtime($b));
            foreach ($files as $file) {
                // Sent meanwhile by the page that kept it.
                $event = json_decode((string) @file_get_contents($file), true);
                if ($event !== null && !$this->settle($file, $this->post($event['id'], $event['body']))) {
                    break;
                }
            }
        }
        return count($this->kept());
    }

    private function kept(): array
    {
        return glob($this->needed('spool') . '/*.json') ?: [];
    }

    private function needed(string $name): string
    {
        if (empty($this->config[$name])) {
            throw new RuntimeException(__DIR__ . "/config.php: $name is missing");
        }
        return $this->config[$name];
    }

    private function keep(string $id, string $body): string
    {
        $file = $this->needed('spool') . '/' . sha1($id) . '.json';
        $new = $file . '.' . getmypid();
        $event = json_encode(['id' => $id, 'body' => $body], JSON_THROW_ON_ERROR);
        if (@file_put_contents($new, $event) !== strlen($event) || !@rename($new, $file)) {
            error_log("billmgr-webhooks: $id: cannot be kept in {$this->config['spool']}");
        }
        return $file;
    }

    /** Takes an event that was answered out of the spool; false where it stays. */
    private function settle(string $file, int $status): bool
    {
        if ($status === 200) {
            @unlink($file);
            return true;
        }
        error_log('billmgr-webhooks: ' . basename($file) . ': ' . ($status ? "answered $status" : 'no answer'));
        return in_array($status, self::REFUSED, true) && @rename($file, "$file.refused");
    }

    /** The answer's status; 0 where there is none. */
    private function post(string $id, string $body): int
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
        curl_exec($curl);
        return curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    }
}

if (PHP_SAPI === 'cli' && realpath($_SERVER['SCRIPT_FILENAME'] ?? '') === __FILE__) {
    exit((new BillmgrWebhooks())->flush() === 0 ? 0 : 1);
}

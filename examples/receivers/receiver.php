<?php
// Receives Mave's webhooks with PHP 8 or newer and no packages.
// Start it with your webhook's secret:  WEBHOOK_SECRET=whsec_... php -S localhost:4000 receiver.php

const TOLERANCE = 300; // seconds

/** Verifies the Mave-Signature header, t=<time>, v1=<hex>. During a secret rotation it has a second v1. */
function is_from_mave(string $body, string $header, string $secret, int $now): bool
{
    $times = $signatures = [];
    foreach (explode(',', $header) as $part) {
        [$name, $value] = explode('=', trim($part), 2) + [1 => ''];
        if ($name === 't') $times[] = $value;
        if ($name === 'v1') $signatures[] = strtolower($value);
    }
    if (count($times) !== 1 || !preg_match('/\A[0-9]{1,11}\z/', $times[0])) return false;
    $expected = hash_hmac('sha256', $body, "$times[0].$secret");
    $found = false;
    foreach ($signatures as $signature) $found = hash_equals($expected, $signature) || $found; // in constant time
    return $found && abs($now - (int) $times[0]) <= TOLERANCE;
}

$secret = getenv('WEBHOOK_SECRET') ?: throw new RuntimeException('WEBHOOK_SECRET is not set');
$body = file_get_contents('php://input'); // verify the raw body before parsing it
if (!is_from_mave($body, $_SERVER['HTTP_MAVE_SIGNATURE'] ?? '', $secret, time())) {
    http_response_code(400);
    return;
}
$event = json_decode($body, true, 64, JSON_THROW_ON_ERROR);
// An event can arrive more than once. To detect duplicates, store $event['id'].
error_log("{$event['type']} {$event['data']['id']}");
http_response_code(204);

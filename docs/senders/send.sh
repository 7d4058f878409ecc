#!/bin/sh
# Sends an event to /webhooks/standard: send.sh ID TYPE DATA [TIME]
# ID is the same for the same fact, however often it is sent. Exits with 1 if the endpoint did not take the event.
# Needs curl, openssl, and in the environment BILLMGR_WEBHOOKS_URL and BILLMGR_WEBHOOKS_SECRET.
set -eu

id=$1
body=$(printf '{"type":"%s","timestamp":"%s","data":%s}' "$2" "${4:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}" "$3")
key=$(printf %s "${BILLMGR_WEBHOOKS_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')

for delay in 0 1 5 20 30; do
  sleep "$delay"
  # The endpoint accepts a signature for five minutes, so each attempt has its own.
  now=$(date +%s)
  signature=$(printf %s "$id.$now.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
  status=$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 "$BILLMGR_WEBHOOKS_URL" -d "$body" \
    -H 'content-type: application/json' -H "webhook-id: $id" -H "webhook-timestamp: $now" \
    -H "webhook-signature: v1,$signature") || true
  case $status in
    200) exit 0 ;;
    000 | 429 | 5??) ;;
    *) break ;;
  esac
done
echo "$2 $id: answered $status" >&2
exit 1

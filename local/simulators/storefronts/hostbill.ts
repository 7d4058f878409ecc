import { type Customer, numberOf, type Shop, someNumber, type UnsignedWebhook } from "./shop.ts";
import { signHostbill } from "./signing.ts";

const day = (date: Date): string => date.toISOString().slice(0, 10);

/** HostBill states the period only in the description of the line. */
const invoicePaid = (customer: Customer): UnsignedWebhook => ({
  type: "after_invoicefullpaid",
  body: {
    id: String(numberOf(customer)),
    status: "Paid",
    client_id: "6",
    total: "20.00",
    items: [
      {
        type: "Hosting",
        item_id: customer.subscription,
        description: `A license (${day(customer.from)} - ${day(customer.to)})`,
        amount: "20.00",
        qty: "1",
      },
    ],
  },
});

const accountOf = ({ subscription, sold }: Customer) => ({ id: subscription, client_id: "6", product_id: sold });

/** HostBill sells no quantities. It does not report an unpaid invoice, but suspends the account. */
export const hostbill: Shop = {
  newId: someNumber,
  webhooks: {
    buy: (customer) => [
      invoicePaid(customer),
      { type: "after_accountcreate", body: { account_id: customer.subscription, service: accountOf(customer) } },
    ],
    renew: (customer) => [
      invoicePaid(customer),
      { type: "after_accountunsuspend", body: { account: accountOf(customer) } },
    ],
    fail: ({ subscription }) => [{ type: "after_accountsuspend", body: Number(subscription) }],
    cancel: ({ subscription }) => [
      { type: "after_cancellationrequest", body: { acc_id: subscription, type: "End of billing period" } },
    ],
    end: (customer) => [
      { type: "after_accountterminate", body: { account_id: customer.subscription, service: accountOf(customer) } },
    ],
  },
  sign: ({ text, type }, secret, at) => signHostbill(type, text, at, secret),
};

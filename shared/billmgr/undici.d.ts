// The parts of undici that one POST needs: the whole package is 715 KiB in the bundle and takes twice as long to load.
declare module "undici/lib/dispatcher/client.js" {
  export { Client as default } from "undici";
}

declare module "undici/lib/api/api-request.js" {
  import type { Client, Dispatcher } from "undici";
  export default function request(this: Client, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>;
}

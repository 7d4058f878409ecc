/** An HTTP response, independent of the transport. */
export type Page = { status: number; contentType: string; body: string };

export const xmlPage = (body: string): Page => ({ status: 200, contentType: "text/xml; charset=UTF-8", body });

export const htmlPage = (status: number, title: string, body: string): Page => ({
  status,
  contentType: "text/html; charset=UTF-8",
  body: `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body>${body}</body></html>\n`,
});

/** The page for people, which billmgr sends without out=xml. */
export const loginPage = htmlPage(
  200,
  "BILLmanager",
  '<form id="login"><input name="username"><input name="password"></form>',
);

/** Observed: a page with a link that matches /long.+billmgr/. The target's reply is unknown, so the link leads nowhere. */
export const waitPage = htmlPage(
  200,
  "Please wait",
  '<p>Request in process, please wait</p><a href="/manager/long/5a7d4b0c/billmgr">Continue</a>',
);

export const errorPage = htmlPage(200, "Error", "<h1>An error occurred</h1><p>Please try again later.</p>");

export const captchaPage = htmlPage(
  200,
  "Just a moment...",
  '<h1>Are you human?</h1><div class="cf-turnstile">CAPTCHA</div>',
);

const reasons = {
  403: "Forbidden",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Temporarily Unavailable",
  504: "Gateway Time-out",
};

export type HttpStatus = keyof typeof reasons;
export const httpStatuses = Object.keys(reasons).map(Number) as [HttpStatus, ...HttpStatus[]];

/** The page of a front proxy. */
export const proxyPage = (status: HttpStatus): Page =>
  htmlPage(status, `${status} ${reasons[status]}`, `<h1>${status} ${reasons[status]}</h1><hr>nginx`);

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { maxResponseBytes, postTo } from "../../shared/billmgr/transport.ts";

describe("a request without a complete answer", () => {
  let accept: (socket: Socket) => void = () => {};
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    accept(socket);
  });
  let address: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/billmgr`;
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const form = new URLSearchParams({ func: "x" });

  test.each([
    ["nobody listens", "http://127.0.0.1:1025/billmgr"],
    ["there is no such host", "http://nowhere.invalid/billmgr"],
  ])("was not sent if %s", async (_, to) => {
    expect(await postTo(to)(form, 5000)).toMatchObject({ kind: "not_sent" });
  });

  test.each<[string, (socket: Socket) => void]>([
    ["closed early", (socket) => socket.once("data", () => socket.destroy())],
    ["not answered by TLS", (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))],
    ["not finished in time", () => {}],
  ])("was not sent if the handshake is %s", async (_, behave) => {
    accept = behave;
    expect(await postTo(address.replace("http:", "https:"))(form, 300)).toMatchObject({ kind: "not_sent" });
  });

  test.each<[string, (socket: Socket) => void]>([
    ["the connection is closed immediately", (socket) => socket.destroy()],
    ["it is closed after the request", (socket) => socket.on("data", () => socket.destroy())],
    ["no answer comes in time", () => {}],
    [
      "the answer stops half-way",
      (socket) => socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n<doc>")),
    ],
    [
      "the connection is closed half-way",
      (socket) => socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n<doc>")),
    ],
    ["the answer is not HTTP", (socket) => socket.on("data", () => socket.end("nonsense"))],
  ])("may have arrived if %s", async (_, behave) => {
    accept = behave;
    expect(await postTo(address)(form, 300)).toMatchObject({ kind: "no_response" });
  });

  test("may have arrived if the answer is too large", async () => {
    const body = Buffer.alloc(maxResponseBytes + 1, " ");
    accept = (socket) =>
      socket.on("data", () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`));
    expect(await postTo(address)(form, 5000)).toMatchObject({
      kind: "no_response",
      why: expect.stringContaining("size"),
    });
  });

  test("does not follow a redirect", async () => {
    accept = (socket) =>
      socket.on("data", () =>
        socket.end("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
      );
    expect(await postTo(address)(form, 5000)).toMatchObject({ kind: "response", status: 302 });
  });
});

describe.skipIf(!hasOpenssl())("over TLS", () => {
  let directory: string;
  let server: ReturnType<typeof createHttpsServer>;
  let address: string;
  let cert: string;
  let received: string[];
  const trusted = getCACertificates("default");
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "tls-"));
    const [keyFile, certFile] = [join(directory, "key.pem"), join(directory, "cert.pem")];
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    execFileSync("openssl", [...made, ...named, "-keyout", keyFile, "-out", certFile], { stdio: "ignore" });
    cert = readFileSync(certFile, "utf8");
    server = createHttpsServer({ key: readFileSync(keyFile), cert }, (request, response) => {
      let body = "";
      request.on("data", (piece) => {
        body += piece;
      });
      request.on("end", () => {
        received.push(`${request.method} ${request.url} ${request.headers.connection} ${body}`);
        response.end("\ufeff<doc>größer</doc>");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `https://localhost:${(server.address() as AddressInfo).port}/billmgr`;
  });
  beforeEach(() => {
    received = [];
  });
  afterEach(() => setDefaultCACertificates(trusted));
  afterAll(() => {
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const form = new URLSearchParams({ func: "x", comment: "a&b" });

  test("an untrusted certificate sends nothing", async () => {
    expect(await postTo(address)(form, 5000)).toMatchObject({
      kind: "not_sent",
      why: expect.stringMatching(/^DEPTH_ZERO_SELF_SIGNED_CERT/),
    });
    expect(received).toEqual([]);
  });

  test("a certificate for another host sends nothing", async () => {
    setDefaultCACertificates([...trusted, cert]);
    const elsewhere = address.replace("localhost", "127.0.0.1");
    expect(await postTo(elsewhere)(form, 5000)).toMatchObject({
      kind: "not_sent",
      why: expect.stringMatching(/^ERR_TLS_CERT_ALTNAME_INVALID/),
    });
    expect(received).toEqual([]);
  });

  test("a trusted certificate posts once, on its own connection", async () => {
    setDefaultCACertificates([...trusted, cert]);
    expect(await postTo(address)(form, 5000)).toEqual({ kind: "response", status: 200, body: "<doc>größer</doc>" });
    expect(received).toEqual(["POST /billmgr close func=x&comment=a%26b"]);
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

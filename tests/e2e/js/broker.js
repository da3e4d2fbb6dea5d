// aedes on loopback: reads one line of JSON (transports, cert, key), prints {transport: port},
// refuses subscriptions below forbidden/, logs the others on stderr, and ends when its stdin ends.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');
const readline = require('readline');
const tls = require('tls');
const aedes = require('aedes')();
const { WebSocketServer, createWebSocketStream } = require('ws');

const HOST = '127.0.0.1';

function overWebSocket(server) {
  new WebSocketServer({ server }).on('connection', (socket, request) => {
    aedes.handle(createWebSocketStream(socket), request);
  });
  return server;
}

const makers = {
  tcp: () => net.createServer(aedes.handle),
  tls: (secret) => tls.createServer(secret, aedes.handle),
  ws: () => overWebSocket(http.createServer()),
  wss: (secret) => overWebSocket(https.createServer(secret)),
};

function listen(server) {
  return new Promise((resolve) => server.listen(0, HOST, () => resolve(server.address().port)));
}

async function start(order) {
  const secret = { cert: fs.readFileSync(order.cert), key: fs.readFileSync(order.key) };
  const ports = {};
  for (const transport of order.transports) {
    ports[transport] = await listen(makers[transport](secret));
  }
  console.log(JSON.stringify(ports));
}

aedes.authorizeSubscribe = (client, subscription, answer) => {
  answer(null, subscription.topic.startsWith('forbidden/') ? null : subscription);
};
aedes.on('subscribe', (subscriptions) => {
  for (const { topic } of subscriptions) console.error(`subscribe ${topic}`);
});
const input = readline.createInterface({ input: process.stdin });
input.once('line', (line) => start(JSON.parse(line)));
input.once('close', () => process.exit(0));

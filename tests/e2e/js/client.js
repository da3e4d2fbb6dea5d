// MQTT.js clients under remote control: one JSON command a line on stdin, one JSON event a line on
// stdout. Payloads travel as base64.
//   {"op":"connect","id":1,"url":…,"cafile":…,"version":5|4|3}  -> {"id":1,"event":"connect"}
//   {"op":"subscribe","id":1,"topic":…,"qos":n}                   -> {"id":1,"event":"subscribe"}
//   {"op":"publish","id":1,"topic":…,"qos":n,"payload":…}         -> {"id":1,"event":"publish"}
//   {"op":"end","id":1}                                           -> {"id":1,"event":"end"}
'use strict';
const fs = require('fs');
const readline = require('readline');
const mqtt = require('mqtt');

const clients = new Map();

function say(id, event, more) {
  process.stdout.write(JSON.stringify({ id, event, ...more }) + '\n');
}

function reply(id, event) {
  return (error) => say(id, error ? 'error' : event, error ? { message: String(error) } : {});
}

const operations = {
  connect({ id, url, cafile, version }) {
    const client = mqtt.connect(url, {
      ca: cafile ? fs.readFileSync(cafile) : undefined,
      protocolVersion: version,
      protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
      reconnectPeriod: 0,
    });
    clients.set(id, client);
    client.once('connect', () => say(id, 'connect'));
    client.on('error', (error) => say(id, 'error', { message: String(error) }));
    client.on('message', (topic, payload, packet) => {
      say(id, 'message', { topic, qos: packet.qos, payload: payload.toString('base64') });
    });
  },
  subscribe({ id, topic, qos }) {
    clients.get(id).subscribe(topic, { qos }, reply(id, 'subscribe'));
  },
  publish({ id, topic, qos, payload }) {
    clients.get(id).publish(topic, Buffer.from(payload, 'base64'), { qos }, reply(id, 'publish'));
  },
  // Whoever hears DISCONNECT may close at once: what breaks from here on is no error of the conversation.
  end({ id }) {
    clients.get(id).removeAllListeners('error').on('error', () => {});
    clients.get(id).end(false, {}, reply(id, 'end'));
    clients.delete(id);
  },
};

const input = readline.createInterface({ input: process.stdin });
input.on('line', (line) => {
  const command = JSON.parse(line);
  operations[command.op](command);
});
input.once('close', () => process.exit(0));

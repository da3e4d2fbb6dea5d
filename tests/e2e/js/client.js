// MQTT.js clients under remote control: one JSON command a line on stdin, one JSON event a line on
// stdout. Payloads travel as base64.
//   {"op":"connect","id":1,"url":…,"cafile":…,"version":5|4|3}  -> {"id":1,"event":"connect"}
//     with "username" and "password", or "token" (method JWT), or "scram": {"user":…,"password":…} (SCRAM-SHA-512)
//   {"op":"subscribe","id":1,"topic":…,"qos":n}                   -> {"id":1,"event":"subscribe"}
//   {"op":"publish","id":1,"topic":…,"qos":n,"payload":…}         -> {"id":1,"event":"publish"}
//   {"op":"end","id":1}                                           -> {"id":1,"event":"end"}
'use strict';
const crypto = require('crypto');
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

// RFC 5802 with SHA-512: the first message, and the answer to the server's. Neither name nor password need SASLprep.
class Scram {
  constructor({ user, password }) {
    this.password = password;
    this.bare = `n=${user},r=${crypto.randomBytes(18).toString('base64')}`;
    this.first = Buffer.from(`n,,${this.bare}`);
  }

  answer(challenge) {
    const server = challenge.toString();
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(server);
    const salted = crypto.pbkdf2Sync(this.password, Buffer.from(salt, 'base64'), Number(iterations), 64, 'sha512');
    const hmac = (key, text) => crypto.createHmac('sha512', key).update(text).digest();
    const clientKey = hmac(salted, 'Client Key');
    const stored = crypto.createHash('sha512').update(clientKey).digest();
    const final = `c=biws,r=${nonce}`;
    const signature = hmac(stored, `${this.bare},${server},${final}`);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]));
    return Buffer.from(`${final},p=${proof.toString('base64')}`);
  }
}

// MQTT.js sends what is given here, and asks handleAuth() what to answer.
function authentication({ token, scram }, session) {
  if (token) return { authenticationMethod: 'JWT', authenticationData: Buffer.from(token) };
  return scram ? { authenticationMethod: 'SCRAM-SHA-512', authenticationData: session.first } : undefined;
}

const operations = {
  connect({ id, url, cafile, version, ...credentials }) {
    const scram = credentials.scram && new Scram(credentials.scram);
    const client = mqtt.connect(url, {
      username: credentials.username,
      password: credentials.password,
      properties: authentication(credentials, scram),
      ca: cafile ? fs.readFileSync(cafile) : undefined,
      protocolVersion: version,
      protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
      reconnectPeriod: 0,
    });
    clients.set(id, client);
    client.handleAuth = ({ properties }, callback) => callback(null, {
      cmd: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: 'SCRAM-SHA-512', authenticationData: scram.answer(properties.authenticationData) },
    });
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

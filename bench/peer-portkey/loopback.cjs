'use strict';
// Loaded before the peer: it listens on every interface by itself, and here on 127.0.0.1 only; and it says when it does.
const net = require('node:net');

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  this.once('listening', () => console.log('Ready: portkey'));
  const [first, ...rest] = args;
  if (typeof first === 'object' && first !== null) return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest);
  return listen.call(this, { port: Number(first), host: '127.0.0.1' }, ...rest.filter((r) => typeof r === 'function'));
};

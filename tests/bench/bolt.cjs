/* What the ack latency of bench_bot is compared with: @slack/bolt, which acknowledges each command, stores nothing and answers
 * nothing. usage: node bolt.cjs API-URL      (node_modules: beside it; NODE_EXTRA_CA_CERTS: the simulator's authority) */
'use strict';
const { App, LogLevel } = require('@slack/bolt');

const app = new App({
  token: 'xoxb-sim', appToken: 'xapp-sim', socketMode: true, logLevel: LogLevel.ERROR, clientOptions: { slackApiUrl: process.argv[2] },
});
app.command('/hausmeister', ({ ack }) => ack());
app.start();

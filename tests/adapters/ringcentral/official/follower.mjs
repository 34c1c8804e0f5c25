// A follower with RingCentral's own clients: comes back by itself when its socket is cut, and tells what it is sent.

import { SDK } from '@ringcentral/sdk';
import { Subscriptions } from '@ringcentral/subscriptions';

const [server, clientId, clientSecret, jwt] = process.argv.slice(2);
const FILTER = '/restapi/v1.0/account/~/extension/~/telephony/sessions';

const tell = (kind, what) => process.stdout.write(`${JSON.stringify({ [kind]: what })}\n`);

const sdk = new SDK({ server, clientId, clientSecret });
await sdk.login({ jwt });
const subscription = new Subscriptions({ sdk }).createSubscription().setEventFilters([FILTER]);
subscription.on(subscription.events.notification, (message) => {
  const [party] = message.body.parties;
  tell('event', [message.body.sequence, party.status.code]);
  if (party.status.code === 'Disconnected') process.exit(0);
});
await subscription.register();
tell('subscribed', true);

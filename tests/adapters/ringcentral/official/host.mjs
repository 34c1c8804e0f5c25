// A host with RingCentral's own clients: holds a conference and tells what comes, one line of JSON for each thing.

import { SDK } from '@ringcentral/sdk';
import { Subscriptions } from '@ringcentral/subscriptions';
import callControl from 'ringcentral-call-control';

const [server, clientId, clientSecret, jwt] = process.argv.slice(2);
const FILTER = '/restapi/v1.0/account/~/extension/~/telephony/sessions';

const tell = (kind, what) => process.stdout.write(`${JSON.stringify({ [kind]: what })}\n`);
const until = async (condition) => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
};
const short = ({ code, reason }) => (reason ? `${code} ${reason}` : code);

const sdk = new SDK({ server, clientId, clientSecret });
await sdk.login({ jwt });

// Its constructor has the default export's shape of CommonJS.
const RingCentralCallControl = callControl.RingCentralCallControl ?? callControl.default ?? callControl;
const calls = new RingCentralCallControl({ sdk });
await calls.initialize();
const [call] = calls.sessions;
tell('found', { id: call.id, devices: calls.devices.length, other: call.party.to.phoneNumber });

const subscription = new Subscriptions({ sdk }).createSubscription().setEventFilters([FILTER]);
subscription.on(subscription.events.notification, (message) => {
  const { telephonySessionId, sequence, parties } = message.body;
  tell('event', [telephonySessionId, sequence, short(parties[0].status)]);
  calls.onNotificationEvent(message);
});
await subscription.register();

const conference = await calls.createConference();
tell('conference', { id: conference.id, token: conference.voiceCallToken });
await until(() => conference.party?.status.code === 'Answered');

await conference.mute();
tell('muted', conference.party.muted);
await conference.unmute();
await conference.hold();
tell('held', conference.party.status.code);
await conference.unhold();

const leg = await conference.bringInParty({ telephonySessionId: call.id, partyId: call.party.id });
tell('leg', leg.id);
await until(() => call.party.status.code === 'Gone');
await conference.reload();
tell('legs', conference.parties.map((party) => `${party.conferenceRole} ${party.status.code}`));

await conference.removeParty(leg.id);
await until(() => !calls.sessionsMap.has(call.id));
tell('removed', leg.id);

await conference.drop();
await until(() => !calls.sessionsMap.has(conference.id));
tell('dropped', conference.id);
await sdk.logout();
process.exit(0);

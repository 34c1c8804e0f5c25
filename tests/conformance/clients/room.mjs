// What every client does with a room: follow it, ask and command once meanwhile, and tell what comes, a JSON a line.

export const [transport, httpUrl, wsUrl] = process.argv.slice(2);
const [roomId, participantId] = process.argv.slice(5);

// Every selection has its __typename, because clients with a cache add it: so all of them get the same event.
const FOLLOW = `
  subscription Follow($room: ID!) {
    roomEvents(roomId: $room) {
      __typename
      position
      ... on RoomSnapshot {
        snapshotReason
        room {
          __typename
          id
          name
          participants { __typename edges { __typename node { __typename id displayName muted talking } } }
        }
      }
      ... on ParticipantJoined { participant { __typename id displayName muted talking } }
      ... on ParticipantUpdated { changed participant { __typename id displayName muted talking } }
      ... on ParticipantLeft { leaveReason participant { __typename id displayName muted talking } }
      ... on RoomUpdated { changed room { __typename id name locked } }
    }
  }`;
const ASK = `
  query Ask($room: ID!) {
    room(id: $room) { __typename id name participantCount }
  }`;
const MUTE = `
  mutation Mute($participant: ID!) {
    muteParticipant(input: { participantId: $participant }) {
      __typename
      outcome
      position
      participant { __typename id muted }
    }
  }`;

/**
 * Follow the room until it is called "The end", and ask and command when its snapshot has come.
 *
 * A client has `follow(document, variables, take, failed)`, which gives what stops it,
 * `ask(document, variables, kind)`, which promises data, and `close()`.
 */
export async function run(client) {
  let stop, asked;
  await new Promise((end, failed) => {
    const take = ({ roomEvents: event }) => {
      tell({ event });
      if (event.__typename === 'RoomSnapshot') asked ??= askAndCommand(client).catch(failed);
      if (event.room?.name === 'The end') end();
    };
    stop = client.follow(FOLLOW, { room: roomId }, take, failed);
  });
  await asked;
  await stop();
  await client.close();
}

async function askAndCommand(client) {
  tell({ query: (await client.ask(ASK, { room: roomId }, 'query')).room });
  tell({ mutation: (await client.ask(MUTE, { participant: participantId }, 'mutation')).muteParticipant });
}

/** Give the data of a result, which has no errors. */
export function dataOf(result) {
  if (result.errors || result.error || !result.data) throw new Error(JSON.stringify(result));
  return result.data;
}

/** What takes results of a subscription that may end only when it is told to. */
export function observer(take, failed) {
  const next = (result) => {
    try {
      take(dataOf(result));
    } catch (error) {
      failed(error);
    }
  };
  return { next, error: failed, complete: () => failed(new Error('it ended too early')) };
}

/** A client as `graphql-ws` and `graphql-sse` have it. */
export function withSinks(client) {
  return {
    follow: (query, variables, take, failed) => client.subscribe({ query, variables }, observer(take, failed)),
    ask: async (query, variables) => dataOf((await client.iterate({ query, variables }).next()).value),
    close: () => client.dispose(),
  };
}

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

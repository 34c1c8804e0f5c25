// The part of the gateway's schema that the benchmark uses, with the same values.
export const typeDefs = `
  type Query { rooms(first: Int): RoomConnection! }
  type Subscription { roomEvents(roomId: ID!): RoomEvent! }
  enum ChangedField { DISPLAY_NAME }
  enum RoomState { IDLE ACTIVE ENDED }
  enum ParticipantRole { PARTICIPANT MODERATOR }
  type RoomConnection { edges: [RoomEdge!]! }
  type RoomEdge { node: Room! }
  type Room {
    id: ID! name: String state: RoomState! locked: Boolean onHold: Boolean recording: Boolean stale: Boolean!
    participantCount: Int! participants: ParticipantConnection!
  }
  type ParticipantConnection { edges: [ParticipantEdge!]! }
  type ParticipantEdge { node: Participant! }
  type Participant {
    id: ID! displayName: String number: String role: ParticipantRole muted: Boolean deafened: Boolean talking: Boolean
    joinedAt: String
  }
  interface RoomEvent { position: String! occurredAt: String! }
  type RoomSnapshot implements RoomEvent { position: String! occurredAt: String! snapshotReason: String! room: Room! }
  type ParticipantUpdated implements RoomEvent {
    position: String! occurredAt: String! changed: [ChangedField!]! participant: Participant!
  }
`;

const digits = (number) => String(number).padStart(4, "0");

const participant = (room, who) => ({
  id: Buffer.from(`P5:bench9:room-${digits(room)}6:${digits(room)}-${who}`).toString("base64url"),
  displayName: `Participant ${who} of ${digits(room)}`,
  number: `+1202555${digits(who)}`,
  role: "PARTICIPANT",
  muted: false,
  deafened: false,
  talking: false,
  joinedAt: "2026-01-01T00:00:00Z",
});

const room = (nth) => {
  const people = [0, 1, 2, 3].map((who) => participant(nth, who));
  return {
    id: Buffer.from(`R5:bench9:room-${digits(nth)}`).toString("base64url"),
    name: `Conference room ${digits(nth)}`,
    state: "ACTIVE",
    locked: false,
    onHold: false,
    recording: false,
    stale: false,
    people,
  };
};

export const rooms = Array.from({ length: 50 }, (_, nth) => room(nth));

const connection = (nodes) => ({ edges: nodes.map((node) => ({ node })) });

export const resolvers = {
  Query: { rooms: (_, { first }) => connection(rooms.slice(0, first)) },
  Room: {
    participantCount: ({ people }) => people.length,
    participants: ({ people }) => connection(people),
  },
};

const head = () => ({ position: "p".repeat(40), occurredAt: new Date().toISOString() });

const snapshot = () => ({ __typename: "RoomSnapshot", ...head(), snapshotReason: "START", room: rooms[0] });

export function updated(text) {
  const [first, ...rest] = rooms[0].people;
  const changed = { ...first, displayName: text };
  rooms[0].people = [changed, ...rest];
  return { __typename: "ParticipantUpdated", ...head(), changed: ["DISPLAY_NAME"], participant: changed };
}

// Puts a snapshot before what an iterator gives, without a generator around every event. The iterator subscribes when
// it is first asked, so that it is asked at once.
export function withSnapshot(iterator) {
  let ahead = iterator.next();
  let first = { value: { roomEvents: snapshot() }, done: false };
  return {
    next() {
      const given = first ?? ahead ?? iterator.next();
      if (first) first = null;
      else ahead = null;
      return Promise.resolve(given);
    },
    return() {
      return iterator.return ? iterator.return() : Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

// Braid for Node.js: rows, a property graph and time series in one directory with one commit.
//
//   const braid = require('braid');
//   const database = braid.open('plant');
//   const connection = database.connect();
//   connection.exec('CREATE TABLE devices(id TEXT PRIMARY KEY, model TEXT)');
//   connection.transaction(() => {
//     connection.run('INSERT INTO devices VALUES (?, ?)', ['pump-7', 'CR 32']);
//     connection.graph.addNode('Site', { city: 'Kiel' });
//   });
//   const rows = await connection.async.all('SELECT * FROM devices');
//   database.close();
//
// Rules
//  - A connection has its methods twice: connection.all(...) answers at once and holds JavaScript's thread meanwhile, connection.async.all(...)
//    answers a promise and works on another thread. Promises of one connection are done one after another; while one is pending, a call that
//    answers at once is refused (MISUSE). Work that shall go on at the same time has connections of its own.
//  - Whole numbers within 2^53 are numbers, others BigInt; both are taken. Bytes come as Buffer. A Date is stored as text in UTC.
//  - Without a transaction each statement and call is one by itself.
//  - Errors are BraidError with `code` ("CONSTRAINT"), `number` (braid.h) and `offset` (a byte of the SQL text, or -1).
//  - The addon is looked for in the environment variable BRAID_ADDON (a path), then beside this file.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

// ---- The addon ----------------------------------------------------------------------------------------------------------

function loadAddon() {
  const beside = ['braid.node', 'build/Release/braid.node'].map((name) => path.join(__dirname, name));
  const places = process.env.BRAID_ADDON ? [path.resolve(process.env.BRAID_ADDON)] : beside.filter((place) => fs.existsSync(place));
  if (places.length === 0) throw new Error(`braid: no addon; BRAID_ADDON names one, or one stands at ${beside.join(' or ')}`);
  return require(places[0]);
}

const native = loadAddon();

// The codes of braid.h by number.
const CODES = ['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'CONSTRAINT', 'BUSY', 'CONFLICT', 'READ_ONLY', 'IO', 'FULL', 'CORRUPT', 'LIMIT', 'INTERRUPTED',
  'DENIED', 'MISUSE', 'OUT_OF_MEMORY', 'SQL', 'VERSION', 'UNKNOWN_OUTCOME', 'SNAPSHOT_TOO_OLD', 'NOT_VISIBLE', 'INTERNAL'];

class BraidError extends Error {
  constructor(message, number, offset = -1) {
    super(message);
    this.name = 'BraidError';
    this.number = number;
    this.code = CODES[number] ?? String(number);
    this.offset = offset;
  }
}

const INVALID_ARGUMENT = CODES.indexOf('INVALID_ARGUMENT');
const MISUSE = CODES.indexOf('MISUSE');

function asBraidError(error) {
  return error.braidCode === undefined ? error : new BraidError(error.message, error.braidCode, error.offset);
}

function invalid(message) {
  return new BraidError(message, INVALID_ARGUMENT);
}

function choice(table, value, what) {
  if (Object.hasOwn(table, value)) return table[value];
  throw invalid(`${what}: expected ${Object.keys(table).join(' or ')}, not ${String(value)}`);
}

const MODES = { read: 1, write: 2 };
const DURABILITIES = { full: 16, relaxed: 32 };
const MODELS = { rows: 1, graph: 2, series: 4 };
const DIRECTIONS = { out: 1, in: 2, both: 3 };
const DIRECTION_NAMES = [undefined, 'out', 'in'];

// ---- Values -------------------------------------------------------------------------------------------------------------

const ORIENTATIONS = { natural: 1, reverse: 2, undirected: 3 };
const LEVELS = { error: 1, warning: 2, info: 3 };
const LEVEL_NAMES = [undefined, 'error', 'warning', 'info'];
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** A name, several as a JSON array, or null. */
function namesText(names) {
  return names == null || typeof names === 'string' ? names ?? null : JSON.stringify(names);
}

/** A Date as SQL has times: text in UTC. */
function timeText(date) {
  const iso = date.toISOString(); // RangeError for an invalid Date
  return iso.endsWith('.000Z') ? `${iso.slice(0, 10)} ${iso.slice(11, 19)}` : `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}

function sqlValue(value) {
  return value instanceof Date ? timeText(value) : value;
}

/** ISO 8601 text; without a zone it is in UTC, as everywhere in Braid. */
function dateOf(text) {
  const hasZone = /[zZ]$|[+-]\d\d:?\d\d$/.test(text);
  return new Date(hasZone || text.length <= 10 ? text : `${text.replace(' ', 'T')}Z`);
}

/** Microseconds since 1970 as a BigInt: of a Date, of ISO 8601 text, or of a number or BigInt that is that already. */
function microseconds(moment) {
  if (typeof moment === 'bigint') return moment;
  if (typeof moment === 'number' && Number.isSafeInteger(moment)) return BigInt(moment);
  const date = typeof moment === 'string' ? dateOf(moment) : moment;
  if (date instanceof Date && !Number.isNaN(date.getTime())) return BigInt(date.getTime()) * 1000n;
  throw invalid(`time: expected a Date, ISO 8601 text, or microseconds, not ${String(moment)}`);
}

const INT64_MARK = '\u0000int64:';

function jsonValue(key, value) {
  // A Date is text by now, since it has a toJSON of its own; `this` holds what it was.
  const given = this[key];
  if (given instanceof Date) return { $timestamp: timeText(given) };
  if (typeof given === 'bigint') return INT64_MARK + given;
  if (given instanceof Uint8Array) return { $bytes: Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString('hex') };
  if (typeof given === 'number' && !Number.isFinite(given)) throw invalid(`properties: ${given} is no property`);
  return value;
}

function toJson(value) {
  return value == null ? null : JSON.stringify(value, jsonValue).replace(/"\\u0000int64:(-?\d+)"/g, '$1');
}

function fromJsonValue(key, value) {
  if (value === null || typeof value !== 'object') return value;
  const keys = Object.keys(value);
  if (keys.length !== 1 || key === '') return value; // the properties as a whole may have such a name
  if (typeof value.$bytes === 'string') return Buffer.from(value.$bytes, 'hex');
  if (typeof value.$int64 === 'string') return BigInt(value.$int64);
  return value;
}

/** Properties: whole numbers beyond 2^53 become BigInt, bytes a Buffer; times stay {$timestamp: text}, since a Date has no microseconds. */
function fromJson(text) {
  const marked = /\d{16}/.test(text)
    ? text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
      /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `{"$int64":"${token}"}` : token)
    : text;
  return JSON.parse(marked, fromJsonValue);
}

function labelsJson(labels) {
  return labels == null ? null : JSON.stringify(typeof labels === 'string' ? [labels] : [...labels]);
}

function quoted(name) {
  return `"${String(name).replaceAll('"', '""')}"`;
}

// ---- Cancelling ---------------------------------------------------------------------------------------------------------

/** A request to stop, which stays until reset(). Set on connections and databases, or given to what opens, restores or repairs one, it ends what runs there
 * with the code INTERRUPTED, and what comes. It may be used while promises are pending. */
class Cancel {
  constructor() {
    this._handle = native.cancelOpen(false);
  }

  _call(name) {
    try {
      return native[name](false, this._handle);
    } catch (error) {
      throw asBraidError(error);
    }
  }

  set() {
    this._call('cancelSet');
  }

  reset() {
    this._call('cancelReset');
  }

  get isSet() {
    return this._call('cancelIsSet') === 1;
  }

  /** What it is set on keeps it as it is. */
  close() {
    this._call('close');
  }
}

function cancelHandle(cancel) {
  if (cancel == null) return null;
  if (cancel instanceof Cancel) return cancel._handle;
  throw invalid('cancel: expected a Cancel');
}

/** What is wished of a call that makes a database: a Cancel, milliseconds, and a function that is told the part that is done and stops it with true. */
function watchArguments({ cancel = null, timeLimit = 0, onProgress = null } = {}) {
  return [cancelHandle(cancel), timeLimit, onProgress];
}

// ---- Calls --------------------------------------------------------------------------------------------------------------

function isPromise(value) {
  return value instanceof Promise;
}

/** What follows a value that is there, or a promise of it. */
function after(value, next) {
  return isPromise(value) ? value.then(next) : next(value);
}

/** `body`, and then `last` whatever happened; what either promises is waited for. */
function finallyDo(body, last) {
  let result;
  try {
    result = body();
  } catch (error) {
    return after(last(), () => { throw error; });
  }
  return isPromise(result) ? result.finally(last) : after(last(), () => result);
}

function callNow(name, handle, values) {
  try {
    return native[name](false, handle, ...values);
  } catch (error) {
    throw asBraidError(error);
  }
}

/** One connection of the library, with the promises that wait for it. */
class Core {
  constructor(database, handle) {
    this.database = database;
    this.handle = handle;
    this.pending = 0;
    this.last = Promise.resolve();
  }

  now(name, handle, values) {
    if (this.pending > 0) throw new BraidError('an asynchronous call of this connection is pending; await it first', MISUSE);
    return callNow(name, handle, values);
  }

  later(name, handle, values) {
    this.pending += 1;
    const run = async () => {
      try {
        return await native[name](true, handle, ...values);
      } catch (error) {
        throw asBraidError(error);
      } finally {
        this.pending -= 1;
      }
    };
    const done = this.last.then(run);
    this.last = done.catch(() => {});
    return done;
  }
}

/** What a connection can do, at once or with promises. */
class Session {
  constructor(core, isAsync) {
    this._core = core;
    this._isAsync = isAsync;
  }

  _call(name, ...values) {
    return this._on(this._core.handle, name, ...values);
  }

  _on(handle, name, ...values) {
    return this._isAsync ? this._core.later(name, handle, values) : this._core.now(name, handle, values);
  }

  /** Runs any number of statements; rows are ignored. */
  exec(sql) {
    return this._call('exec', sql);
  }

  /** A statement to be run many times. */
  prepare(sql) {
    return after(this._call('prepare', sql), (handle) => after(this._on(handle, 'columnNames'), (names) => new Statement(this, handle, names.flat())));
  }

  _with(sql, use) {
    return after(this.prepare(sql), (statement) => finallyDo(() => use(statement), () => statement.close()));
  }

  /** Runs one statement: {changes, lastInsertRowid}. Parameters are an array, or an object for ":name", "@name" and "$name". */
  run(sql, parameters) {
    return this._with(sql, (statement) => statement.run(parameters));
  }

  /** The first row as an object, or undefined. */
  get(sql, parameters) {
    return this._with(sql, (statement) => statement.get(parameters));
  }

  /** All rows. */
  all(sql, parameters) {
    return this._with(sql, (statement) => statement.all(parameters));
  }

  /** The rows one by one: for (const row of connection.iterate(...)), for await (const row of connection.async.iterate(...)). */
  iterate(sql, parameters) {
    return this._isAsync ? this._iterateLater(sql, parameters) : this._iterateNow(sql, parameters);
  }

  * _iterateNow(sql, parameters) {
    const statement = this.prepare(sql);
    try {
      yield* statement.iterate(parameters);
    } finally {
      statement.close();
    }
  }

  async* _iterateLater(sql, parameters) {
    const statement = await this.prepare(sql);
    try {
      yield* statement.iterate(parameters);
    } finally {
      await statement.close();
    }
  }

  /** Begins a transaction: mode 'write' takes the one writer slot now, 'read' pins one snapshot; durability 'full' or 'relaxed'. */
  begin({ mode = 'write', durability } = {}) {
    return this._call('begin', choice(MODES, mode, 'mode') | (durability === undefined ? 0 : choice(DURABILITIES, durability, 'durability')));
  }

  commit() {
    return this._call('commit');
  }

  rollback() {
    return this._call('rollback');
  }

  savepoint(name) {
    return this._call('savepoint', name);
  }

  release(name) {
    return this._call('release', name);
  }

  rollbackTo(name) {
    return this._call('rollbackTo', name);
  }

  setDurability(durability) {
    return this._call('setDurability', choice(DURABILITIES, durability, 'durability'));
  }

  /** Bounds how long a statement may run between two rows; 0: as the options allow. */
  setTimeLimit(milliseconds) {
    return this._call('setTimeLimit', milliseconds);
  }

  /** The Cancel that ends what runs on the connection, and what comes; null: nothing does. */
  setCancel(cancel) {
    return this._call('setCancel', cancelHandle(cancel));
  }

  /** onProgress(fraction) is called while statements and calls run, and ends them by answering true; null: nothing is called. It must not use the connection.
   * Of promises it is told a little later, and its answer counts from then on. */
  onProgress(progress) {
    return this._call('onProgress', progress);
  }

  /** From now on the SQL of this connection is a stranger's (docs/bounds.md); there is no way back. */
  restrict({ readOnly = false, statementMilliseconds = 0, valueBytes = 0 } = {}) {
    return this._call('restrict', readOnly ? 1 : 0, statementMilliseconds, valueBytes);
  }

  /** The rows of a SELECT as columns: an object of Column by name. Many times faster than rows. */
  columns(sql, parameters) {
    return this._with(sql, (statement) => statement._readColumns(parameters));
  }

  /** All rows of a statement that a call of the library makes. */
  _rowsOf(name, ...values) {
    return after(this._call(name, ...values), (handle) => after(this._on(handle, 'columnNames'), (names) => {
      const statement = new Statement(this, handle, names.flat());
      return finallyDo(() => statement._allBound(), () => statement.close());
    }));
  }

  inTransaction() {
    return after(this._call('inTransaction'), (answer) => answer === 1);
  }

  lsn() {
    return this._call('lsn');
  }

  get graph() {
    return new Graph(this);
  }

  /** A hypertable that exists. */
  series(name) {
    return new Series(this, name);
  }

  /** Creates a hypertable: tags and fields are objects from name to type (tags may be an array of names). */
  createSeries(name, { time = 'time', tags = [], fields = {}, ...settings } = {}) {
    const tagTypes = Array.isArray(tags) ? tags.map((tag) => [tag, 'TEXT']) : Object.entries(tags);
    const parts = [`${quoted(time)} TIMESTAMP`, ...tagTypes.map(([tag, type]) => `${quoted(tag)} ${type} TAG`),
      ...Object.entries(fields).map(([field, type]) => `${quoted(field)} ${type}`),
      ...Object.entries(settings).map(([setting, value]) => `${setting}='${String(value).replaceAll("'", "''")}'`)];
    return after(this.exec(`CREATE VIRTUAL TABLE ${quoted(name)} USING hypertable(${parts.join(', ')})`), () => this.series(name));
  }
}

class Connection extends Session {
  constructor(database, handle) {
    super(new Core(database, handle), false);
    this.async = new AsyncConnection(this);
  }

  get database() {
    return this._core.database;
  }

  /** Commits what `body` does, or rolls it back when it throws; answers what it answers. */
  transaction(body, options) {
    this.begin(options);
    try {
      const result = body(this);
      if (isPromise(result)) throw new BraidError('transaction: the function answers a promise; use connection.async.transaction', MISUSE);
      this.commit();
      return result;
    } catch (error) {
      if (this.inTransaction()) this.rollback();
      throw error;
    }
  }

  /** Stops what runs on the connection with the code INTERRUPTED, also what a promise waits for. */
  interrupt() {
    native.interrupt(this._core.handle);
  }

  /** Closes the connection; an open transaction is rolled back. */
  close() {
    this._core.now('close', this._core.handle, []);
    this._core.database._connections.delete(this);
  }
}

class AsyncConnection extends Session {
  constructor(connection) {
    super(connection._core, true);
    this.sync = connection;
  }

  async transaction(body, options) {
    await this.begin(options);
    try {
      const result = await body(this);
      await this.commit();
      return result;
    } catch (error) {
      if (await this.inTransaction()) await this.rollback();
      throw error;
    }
  }

  async close() {
    // Between two steps of one call nothing is pending for a moment; the second is there before the next turn of the event loop.
    do {
      await this._core.last;
      await new Promise(setImmediate);
    } while (this._core.pending > 0);
    this.sync.close();
  }
}

// ---- Statements ---------------------------------------------------------------------------------------------------------

const ROWS_AT_A_TIME = 1024;

class Statement {
  constructor(session, handle, columns) {
    this._session = session;
    this._handle = handle;
    this.columns = columns;
    this.isClosed = false;
  }

  _call(name, ...values) {
    return this._session._on(this._handle, name, ...values);
  }

  /** Parameters as an array in the order of the statement. */
  _places(parameters) {
    if (parameters === undefined) return [];
    if (Array.isArray(parameters)) return parameters.map(sqlValue);
    if (parameters === null || typeof parameters !== 'object') throw invalid('parameters: expected an array or an object');
    return after(this._call('parameterCount'), (count) => this._named(Object.entries(parameters), count));
  }

  _named(entries, count) {
    const spellings = entries.flatMap(([name, value]) => [':', '@', '$'].map((prefix) => [prefix + name, value]));
    const indexes = spellings.map(([name]) => this._call('parameterIndex', name));
    return after(this._session._isAsync ? Promise.all(indexes) : indexes, (found) => {
      const places = new Array(count);
      const given = new Set();
      found.forEach((index, at) => {
        if (index === 0) return;
        places[index - 1] = sqlValue(spellings[at][1]);
        given.add(index);
      });
      if (given.size !== count) throw invalid(`the statement has ${count} parameters, ${given.size} of them are in the object`);
      return places;
    });
  }

  _start(parameters, rows) {
    return after(this._places(parameters), (places) => this._call('fetch', places, rows));
  }

  _object(row) {
    return Object.fromEntries(this.columns.map((name, at) => [name, row[at]]));
  }

  /** Goes to the end, hands all parts of the rows to `take`, and answers the last part. */
  _drain(part, take) {
    let last = part;
    for (;;) {
      take(last.rows);
      if (last.done) return last;
      const next = this._call('fetch', null, ROWS_AT_A_TIME);
      if (isPromise(next)) return next.then((more) => this._drain(more, take));
      last = next;
    }
  }

  _objects(part) {
    const rows = [];
    const take = (more) => { for (const row of more) rows.push(this._object(row)); };
    return after(this._drain(part, take), () => rows);
  }

  run(parameters) {
    return after(this._start(parameters, ROWS_AT_A_TIME), (part) =>
      after(this._drain(part, () => {}), (end) => ({ changes: end.changes, lastInsertRowid: end.rowid })));
  }

  get(parameters) {
    return after(this._start(parameters, 1), (part) =>
      after(part.done ? undefined : this._call('reset'), () => (part.rows.length > 0 ? this._object(part.rows[0]) : undefined)));
  }

  all(parameters) {
    return after(this._start(parameters, ROWS_AT_A_TIME), (part) => this._objects(part));
  }

  /** All rows of a statement whose values are bound already. */
  _allBound() {
    return after(this._call('fetch', null, ROWS_AT_A_TIME), (part) => this._objects(part));
  }

  _readColumns(parameters) {
    if (this.columns.length === 0) throw invalid('columns is for statements with rows');
    return after(this._places(parameters), (places) => after(this._call('bind', places), () => this._nextColumns(null)));
  }

  _nextColumns(columns) {
    return after(this._call('batch', 65536), (batch) => {
      if (batch === null) {
        const all = columns ?? this.columns.map(() => new Column('n'));
        return Object.fromEntries(this.columns.map((name, at) => [name, all[at]._end()]));
      }
      const known = columns ?? batch.map(({ format }) => new Column(format));
      batch.forEach((part, at) => known[at]._add(part));
      return this._nextColumns(known);
    });
  }

  iterate(parameters) {
    return this._session._isAsync ? this._iterateLater(parameters) : this._iterateNow(parameters);
  }

  * _iterateNow(parameters) {
    let part = this._start(parameters, ROWS_AT_A_TIME);
    try {
      for (;;) {
        for (const row of part.rows) yield this._object(row);
        if (part.done) return;
        part = this._call('fetch', null, ROWS_AT_A_TIME);
      }
    } finally {
      if (!part.done && !this.isClosed) this._call('reset');
    }
  }

  async* _iterateLater(parameters) {
    let part = await this._start(parameters, ROWS_AT_A_TIME);
    try {
      for (;;) {
        for (const row of part.rows) yield this._object(row);
        if (part.done) return;
        part = await this._call('fetch', null, ROWS_AT_A_TIME);
      }
    } finally {
      if (!part.done && !this.isClosed) await this._call('reset');
    }
  }

  /** Whether the statement writes. */
  writes() {
    return after(this._call('writes'), (answer) => answer === 1);
  }

  close() {
    if (this.isClosed) return this._session._isAsync ? Promise.resolve() : undefined;
    this.isClosed = true;
    return this._call('close');
  }
}

// ---- Columns ------------------------------------------------------------------------------------------------------------

// Format of Arrow -> what it is, and the array that holds its values.
const COLUMN_KINDS = {
  l: ['int64', BigInt64Array], g: ['double', Float64Array], b: ['bool', Uint8Array], 'tsu:UTC': ['timestamp', BigInt64Array],
  u: ['text', Array], z: ['bytes', Array], n: ['null', Array],
};

function unpackedBits(bits, length) {
  const bytes = new Uint8Array(bits);
  return Uint8Array.from({ length }, (_, i) => (bytes[i >> 3] >> (i & 7)) & 1);
}

function joined(parts, Kind) {
  if (Kind === Array) return parts.flat();
  const all = new Kind(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A column of results. `values` is a BigInt64Array ('int64', and 'timestamp', which is microseconds), a Float64Array ('double'), a Uint8Array ('bool'), or an
 * array of strings or Buffers; where `nulls` (null, or a Uint8Array) is 1 the value means nothing. Iterating and get(row) give null for those. */
class Column {
  constructor(format) {
    [this.kind, this._Kind] = COLUMN_KINDS[format];
    this._parts = [];
    this._nulls = [];
    this._hasNulls = false;
  }

  _add({ length, validity, values, texts }) {
    this._parts.push(this._valuesOf(length, values, texts));
    this._hasNulls ||= validity !== undefined || this.kind === 'null';
    if (validity !== undefined) this._nulls.push(unpackedBits(validity, length).map((bit) => 1 - bit));
    else this._nulls.push(new Uint8Array(length).fill(this.kind === 'null' ? 1 : 0));
  }

  _valuesOf(length, values, texts) {
    if (this.kind === 'null') return new Array(length).fill(null);
    if (this.kind === 'bool') return unpackedBits(values, length);
    if (this._Kind !== Array) return new this._Kind(values);
    const offsets = new Int32Array(values);
    const bytes = Buffer.from(texts);
    const pieces = Array.from({ length }, (_, i) => bytes.subarray(offsets[i], offsets[i + 1]));
    return this.kind === 'text' ? pieces.map((piece) => piece.toString()) : pieces;
  }

  _end() {
    this.values = joined(this._parts, this._Kind);
    this.nulls = this._hasNulls ? joined(this._nulls, Uint8Array) : null;
    return this;
  }

  get length() {
    return this.values.length;
  }

  get(row) {
    return this.nulls !== null && this.nulls[row] === 1 ? null : this.values[row];
  }

  * [Symbol.iterator]() {
    for (let row = 0; row < this.length; row += 1) yield this.get(row);
  }
}

// ---- Graph --------------------------------------------------------------------------------------------------------------

class Graph {
  constructor(session) {
    this._session = session;
  }

  _call(name, ...values) {
    return this._session._call(name, ...values);
  }

  /** Answers the new node's id. Labels: a name or names; properties: an object. */
  addNode(labels, properties) {
    return this._call('nodeCreate', labelsJson(labels), toJson(properties));
  }

  /** Creates many nodes with the same labels, of an array of objects or so many without properties; answers the first id, the others follow it. */
  addNodes(labels, properties) {
    const texts = Array.isArray(properties) ? properties.map(toJson) : null;
    return this._call('nodesCreate', labelsJson(labels), texts, texts === null ? properties : texts.length);
  }

  /** Replaces labels and properties; null leaves them. */
  updateNode(node, labels, properties) {
    return this._call('nodeUpdate', node, labelsJson(labels), toJson(properties));
  }

  deleteNode(node, { detach = false } = {}) {
    return this._call('nodeDelete', node, detach ? 2 : 1);
  }

  node(node) {
    return after(this._call('nodeRead', node), (found) => ({ id: node, labels: JSON.parse(found.first), properties: fromJson(found.properties) }));
  }

  /** The node with this value of an indexed property (or a bound table's key), or null. */
  find(label, property, value) {
    return after(this._call('nodeFind', label, property, toJson(value) ?? 'null'), (node) => (node === 0 ? null : node));
  }

  addEdge(source, type, target, properties) {
    return this._call('edgeCreate', source, type, target, toJson(properties));
  }

  /** Creates many edges of one type, all or none; sources and targets are arrays of numbers or BigInt64Array. Answers the first id. */
  addEdges(type, sources, targets, properties) {
    return this._call('edgesCreate', type, sources, targets, properties == null ? null : properties.map(toJson));
  }

  updateEdge(edge, properties) {
    return this._call('edgeUpdate', edge, toJson(properties));
  }

  deleteEdge(edge) {
    return this._call('edgeDelete', edge);
  }

  edge(edge) {
    return after(this._call('edgeRead', edge), (found) =>
      ({ id: edge, source: found.source, type: found.first, target: found.target, properties: fromJson(found.properties) }));
  }

  /** [{edge, node, direction, type}] */
  neighbors(node, { direction = 'out', type = null, limit = -1 } = {}) {
    return after(this._call('neighbors', node, choice(DIRECTIONS, direction, 'direction'), type, limit), (rows) =>
      rows.map(([edge, other, way, name]) => ({ edge, node: other, direction: DIRECTION_NAMES[way], type: name })));
  }

  /** {nodes, edges, cost} by edges, or by the sum of the edge property `weight`; null when there is none. */
  shortestPath(source, target, { direction = 'out', type = null, weight = null } = {}) {
    return after(this._call('shortestPath', source, target, choice(DIRECTIONS, direction, 'direction'), type, weight), (found) =>
      (found.nodes.length === 0 ? null : found));
  }

  /** Rows of a table become the nodes of a label. */
  bind(label, table, key) {
    return after(this._session.run('SELECT graph_bind(?, ?, ?)', [label, table, key]), () => undefined);
  }

  /** An edge between nodes that are known by their keys; answers its id. */
  link(fromLabel, fromKey, type, toLabel, toKey, properties) {
    return after(this._session.get('SELECT graph_link(?, ?, ?, ?, ?, ?) AS edge', [fromLabel, fromKey, type, toLabel, toKey, toJson(properties)]),
      (row) => row.edge);
  }

  createIndex(label, property, { unique = false } = {}) {
    return after(this._session.run('SELECT graph_create_index(?, ?, ?)', [label, property, unique]), () => undefined);
  }

  /** [{node, depth, via_edge, previous}] of what is reached from a node, breadth first, each node once. Filters are objects of conditions:
   * {$label: 'Bus', status: {'!=': 'off'}}; hopsMin 0 gives the start too, hopsMax 0 is as far as it goes. */
  expand(start, { direction = 'out', hopsMin = 1, hopsMax = 0, types = null, nodeFilter = null, edgeFilter = null, limit = 0 } = {}) {
    return this._session._rowsOf('expand', start, choice(DIRECTIONS, direction, 'direction'), hopsMin, hopsMax, namesText(types), toJson(nodeFilter),
      toJson(edgeFilter), limit);
  }

  /** Names a projection for algorithms; answers {nodes, edges, bytes}. */
  project(name, { labels = null, types = null, weight = null, orientation = 'natural' } = {}) {
    return after(this._call('projectionCreate', name, namesText(labels), namesText(types), weight, choice(ORIENTATIONS, orientation, 'orientation')), () =>
      after(this.projections(), (all) => {
        const { nodes, edges, bytes } = all.find((each) => each.name === name);
        return { nodes, edges, bytes };
      }));
  }

  /** Those that have a name: [{name, labels, types, weight, orientation, nodes, edges, bytes, current}]. */
  projections() {
    return this._session._rowsOf('projections');
  }

  dropProjection(name) {
    return this._call('projectionDrop', name);
  }

  /** A projection of this moment, for walks that take microseconds. */
  projection(name = null) {
    return after(this._call('projectionOpen', name), (handle) => new Projection(this._session, handle));
  }

  /** The rows of an algorithm; SQL's table graph_algorithms lists them. */
  algorithm(algorithm, { projection = null, ...parameters } = {}) {
    return this._session._rowsOf('algorithm', algorithm, projection, toJson(parameters));
  }

  /** Keeps a column of an algorithm's result as a property; answers how many were written. */
  writeAlgorithm(algorithm, property, { projection = null, column = null, ...parameters } = {}) {
    return this._call('algorithmWrite', algorithm, projection, toJson(parameters), column, property);
  }
}

class Projection {
  constructor(session, handle) {
    this._session = session;
    this._handle = handle;
  }

  _call(name, ...values) {
    return this._session._on(this._handle, name, ...values);
  }

  size() {
    return after(this._call('projectionSize'), ([nodes, edges, bytes]) => ({ nodes, edges, bytes }));
  }

  /** Nodes within so many hops, nearest first, without the start. */
  hops(start, hops, { direction = 'out' } = {}) {
    return this._call('projectionHops', start, hops, choice(DIRECTIONS, direction, 'direction'));
  }

  /** {nodes, edges, cost} with the fewest edges, or null. */
  path(source, target, { direction = 'out' } = {}) {
    return after(this._call('projectionPath', source, target, choice(DIRECTIONS, direction, 'direction')), (found) =>
      (found.nodes.length === 0 ? null : found));
  }

  close() {
    return this._call('close');
  }
}

// ---- Series -------------------------------------------------------------------------------------------------------------

// Type of a field -> BRAID_TYPE_*, and how a value that JavaScript has becomes one.
const FIELD_TYPES = {
  DOUBLE: { type: 2 },
  BIGINT: { type: 1 },
  BOOLEAN: { type: 1 },
  TEXT: { type: 3 },
  'JSON TEXT': { type: 3, convert: (value) => (value == null || typeof value === 'string' ? value : JSON.stringify(value)) },
};

function timeArray(times) {
  return times instanceof BigInt64Array ? times : BigInt64Array.from(times, microseconds);
}

class Series {
  constructor(session, name) {
    this._session = session;
    this.name = name;
    this._loaded = null;
  }

  /** {time, tags: [name], fields: {name: type}} */
  schema() {
    if (this._loaded !== null) return this._session._isAsync ? Promise.resolve(this._loaded) : this._loaded;
    return after(this._session.get('SELECT time_column, tags, fields FROM hypertables WHERE name = ?', [this.name]), (row) => {
      if (row === undefined) throw new BraidError(`there is no hypertable '${this.name}'`, CODES.indexOf('NOT_FOUND'));
      this._loaded = { time: row.time_column, tags: JSON.parse(row.tags ?? '[]'), fields: JSON.parse(row.fields ?? '{}') };
      return this._loaded;
    });
  }

  /** Points of one series: append({device: 'a'}, times, {celsius: [...]}). Times are Dates, ISO 8601 texts or microseconds; a BigInt64Array and a
   * Float64Array are taken as they are. Fields that are left out are null. onConflict: 'replace', 'ignore', 'error' or 'merge'. */
  append(tags, times, fields, { onConflict = null } = {}) {
    return after(this.schema(), (schema) => {
      const points = pointArguments(schema, tags, times, fields);
      return after(this._session._call('append', this.name, points.tags, points.times, points.fields, onConflict), () => points.times.length);
    });
  }

  _where(schema, { since, until, tags = {} }, extra = []) {
    const conditions = [...extra];
    const values = [];
    const add = (condition, value) => { conditions.push(condition); values.push(value); };
    if (since !== undefined) add(`${quoted(schema.time)} >= ?`, microseconds(since));
    if (until !== undefined) add(`${quoted(schema.time)} < ?`, microseconds(until));
    for (const [tag, value] of Object.entries(tags)) {
      if (!schema.tags.includes(tag)) throw invalid(`there is no tag '${tag}'; there are ${schema.tags}`);
      add(`${quoted(tag)} IS ?`, value);
    }
    return { where: conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '', values };
  }

  /** Points in the order of time: since <= time < until, tags such as {device: 'a'}. */
  query(options = {}) {
    return after(this.schema(), (schema) => {
      const { where, values } = this._where(schema, options);
      return this._session.all(`SELECT * FROM ${quoted(this.name)}${where} ORDER BY ${quoted(schema.time)}`, values);
    });
  }

  /** Aggregates by bucket of time, series and field: [{bucket, tags (a JSON object), field, count, sum, avg, min, max, first, last}]. */
  rollup(width, options = {}) {
    return this._session._rowsOf('rollup', this.name, width, ...rollupArguments(options));
  }

  /** The last point of each series. */
  last(options = {}) {
    return after(this.schema(), (schema) => {
      const tags = options.tags ?? {};
      const one = Object.keys(tags).length > 0 && schema.tags.every((tag) => Object.hasOwn(tags, tag)) && Object.keys(tags).length === schema.tags.length;
      if (options.since === undefined && options.until === undefined && (one || Object.keys(tags).length === 0)) {
        const given = one ? schema.tags.map((tag) => (tags[tag] == null ? null : String(tags[tag]))) : null;
        return this._session._rowsOf('lastPoints', this.name, given);
      }
      const { where, values } = this._where(schema, options, ['latest = 1']);
      return this._session.all(`SELECT * FROM ${quoted(this.name)}${where}`, values);
    });
  }
}

function rollupArguments({ since, until, tags = null, fields = null, timezone = null }) {
  return [since === undefined ? INT64_MIN : microseconds(since), until === undefined ? INT64_MAX : microseconds(until), toJson(tags), namesText(fields), timezone];
}

function pointArguments(schema, tags, times, fields) {
  for (const tag of Object.keys(tags)) if (!schema.tags.includes(tag)) throw invalid(`there is no tag '${tag}'; there are ${schema.tags}`);
  for (const field of Object.keys(fields)) if (!Object.hasOwn(schema.fields, field)) throw invalid(`there is no field '${field}'`);
  const moments = timeArray(times);
  return {
    tags: schema.tags.map((tag) => (tags[tag] == null ? null : String(tags[tag]))),
    times: moments,
    fields: Object.entries(schema.fields).map(([field, kind]) => {
      const { type, convert } = FIELD_TYPES[kind];
      const values = fields[field] ?? new Array(moments.length).fill(null);
      return { type, values: convert === undefined ? values : Array.from(values, convert) };
    }),
  };
}

// ---- Databases ----------------------------------------------------------------------------------------------------------

class Database {
  constructor(handle) {
    this._handle = handle;
    this._connections = new Set();
    this._feeds = new Set();
    this._pending = new Set();
    this.async = {
      check: () => this._later('check', []).then((lines) => lines.flat()),
      checkpoint: () => this._later('checkpoint', []),
      sync: () => this._later('sync', []),
      maintain: (milliseconds = 1000) => this._later('maintain', [milliseconds]),
      stats: () => this._later('stats', []).then(Object.fromEntries),
      backup: (destination, options) => this._later('backup', backupArguments(destination, options)).then(backupReport),
      connect: () => this._later('connect', []).then((made) => this._adopt(made)),
      close: () => this._closeLater(),
    };
  }

  _now(name, values) {
    return callNow(name, this._handle, values);
  }

  _later(name, values) {
    const done = (async () => {
      try {
        return await native[name](true, this._handle, ...values);
      } catch (error) {
        throw asBraidError(error);
      }
    })();
    this._pending.add(done);
    const forget = () => this._pending.delete(done);
    done.then(forget, forget);
    return done;
  }

  _adopt(handle) {
    const connection = new Connection(this, handle);
    this._connections.add(connection);
    return connection;
  }

  /** A connection: where statements run and a transaction lives. */
  connect() {
    return this._adopt(this._now('connect', []));
  }

  /** Steps that are committed together without holding anything meanwhile; those of several threads share one sync. */
  batch({ durability } = {}) {
    const batch = new Batch(this._now('batchOpen', []));
    if (durability !== undefined) batch.setDurability(durability);
    return batch;
  }

  /** The commits from now on, whoever makes them: for await (const change of database.feed()) gives an object for each (docs/change_feed.md). models: any of
   * 'rows', 'graph', 'series', or one; bytesMax: what is kept for a slow reader. */
  feed({ models = [], bytesMax = 0 } = {}) {
    const chosen = (typeof models === 'string' ? [models] : [...models]).reduce((all, model) => all | choice(MODELS, model, 'models'), 0);
    return new Feed(this, this._now('feedOpen', [chosen, bytesMax]));
  }

  /** Problems found in all that is stored. */
  check() {
    return this._now('check', []).flat();
  }

  checkpoint() {
    this._now('checkpoint', []);
  }

  /** Makes every commit durable; answers the newest durable LSN. */
  sync() {
    return this._now('sync', []);
  }

  maintain(milliseconds = 1000) {
    return this._now('maintain', [milliseconds]);
  }

  /** The Cancel that ends check, checkpoint, sync, maintain, backup and commits of batches; not for connections. null: nothing does. */
  setCancel(cancel) {
    this._now('databaseSetCancel', [cancelHandle(cancel)]);
  }

  /** Bounds how long each of those calls, and the last checkpoint of close(), may take; 0: no bound. */
  setTimeLimit(milliseconds) {
    this._now('databaseSetTimeLimit', [milliseconds]);
  }

  /** onProgress(fraction) is called while one of those calls runs, and ends it by answering true; null: nothing is called. It must call nothing of Braid. */
  onProgress(progress) {
    this._now('databaseOnProgress', [progress]);
  }

  /** The value of an option that the database uses. */
  option(name) {
    return this._now('optionGet', [name]);
  }

  /** Figures by name. */
  stats() {
    return Object.fromEntries(this._now('stats', []));
  }

  /** Copies the database at one commit while others write: {lsn, bytesWritten, bytesLinked, writersHeldUs}. onProgress(bytesDone, bytesAll) ends it by
   * answering true; pruneArchive removes from the archive what only earlier backups need. */
  backup(destination, options) {
    return backupReport(this._now('backup', backupArguments(destination, options)));
  }

  /** Closes the feeds and the connections, then the database. */
  close() {
    if (this._pending.size > 0) throw new BraidError('an asynchronous call of this database is pending; await it first', MISUSE);
    for (const feed of [...this._feeds]) feed._closeNow();
    for (const connection of [...this._connections]) connection.close();
    this._now('close', []);
    open.delete(this);
  }

  async _closeLater() {
    await Promise.all([...this._feeds].map((feed) => feed.close()));
    await Promise.allSettled([...this._pending]);
    for (const connection of [...this._connections]) await connection.async.close();
    this.close();
  }
}

function backupArguments(destination, { base = null, bytesPerSecond = 0, copyAll = false, pruneArchive = false, onProgress = null } = {}) {
  return [destination, base, bytesPerSecond, (copyAll ? 1 : 0) | (pruneArchive ? 4 : 0), onProgress];
}

function backupReport([lsn, bytesWritten, bytesLinked, writersHeldUs]) {
  return { lsn, bytesWritten, bytesLinked, writersHeldUs };
}

class Batch {
  constructor(handle) {
    this._handle = handle;
    this.async = { commit: () => native.batchCommit(true, this._handle).catch((error) => { throw asBraidError(error); }) };
  }

  _now(name, ...values) {
    return callNow(name, this._handle, values);
  }

  setDurability(durability) {
    this._now('batchSetDurability', choice(DURABILITIES, durability, 'durability'));
    return this;
  }

  /** Adds a statement; what is wrong with its SQL is found by commit. */
  execute(sql, parameters = []) {
    this._now('batchExecute', sql, parameters.map(sqlValue));
    return this;
  }

  node(labels, properties) {
    this._now('batchNode', labelsJson(labels), toJson(properties));
    return this;
  }

  edge(source, type, target, properties) {
    this._now('batchEdge', source, type, target, toJson(properties));
    return this;
  }

  /** Points as Series.append has them; `series` is one of connection.series(...). */
  points(series, tags, times, fields) {
    if (!(series instanceof Series)) throw invalid(`series: expected one of connection.series(name), not ${String(series)}`);
    const points = pointArguments(series.schema(), tags, times, fields);
    this._now('batchPoints', series.name, points.tags, points.times, points.fields);
    return this;
  }

  /** Answers the LSN of the commit; the batch is empty then, also after an error. */
  commit() {
    return this._now('batchCommit');
  }

  close() {
    this._now('close');
  }
}

// So long one wait lasts, in milliseconds: threads of Node.js that wait are few.
const FEED_SLICE = 200;

/** The commits of a database as they come, as promises. One reader at a time; close() ends its waiting. */
class Feed {
  constructor(database, handle) {
    this._database = database;
    this._handle = handle;
    this._isClosing = false;
    this._waiting = Promise.resolve();
    /** Commits after this one are told. */
    this.start = JSON.parse(callNow('feedNext', handle, [FEED_SLICE])).start;
    database._feeds.add(this);
  }

  /** The next commit, or what tells of a gap; null when none came within so many milliseconds. Whole numbers beyond 2^53 are BigInt. */
  async next(timeout = Infinity) {
    const deadline = Date.now() + timeout;
    for (;;) {
      const left = Math.max(0, Math.min(FEED_SLICE, deadline - Date.now()));
      const waiting = callLater('feedNext', this._handle, [left]);
      this._waiting = waiting.catch(() => {});
      const line = await waiting;
      if (line !== null) return fromJson(line);
      if (Date.now() >= deadline) return null;
    }
  }

  /** All that come, until it is closed; leaving the loop closes it. */
  async *[Symbol.asyncIterator]() {
    try {
      for (;;) yield await this.next();
    } catch (error) {
      if (!this._isClosing) throw error;
    } finally {
      await this.close();
    }
  }

  _closeNow() {
    callNow('close', this._handle, []);
    this._database._feeds.delete(this);
  }

  async close() {
    this._isClosing = true;
    native.interrupt(this._handle);
    await this._waiting;
    this._closeNow();
  }
}

const open = new Set();

// A program may end while promises are pending: what they wait for is stopped, since the library must be closed before the process goes.
process.on('exit', () => {
  for (const database of open) {
    for (const connection of database._connections) connection.interrupt();
    for (const feed of database._feeds) native.interrupt(feed._handle);
  }
});

function optionsText(options) {
  if (options == null || typeof options === 'string') return options ?? null;
  return Object.entries(options).map(([name, value]) => `${name}=${typeof value === 'boolean' ? Number(value) : value}`).join(';');
}

function pathText(directory) {
  return directory instanceof URL ? require('node:url').fileURLToPath(directory) : directory;
}

function adopted(handle) {
  const database = new Database(handle);
  open.add(database);
  return database;
}

/** A call of the addon that answers a promise. */
async function callLater(name, first, values) {
  try {
    return await native[name](true, first, ...values);
  } catch (error) {
    throw asBraidError(error);
  }
}

function openArguments(options, watch) {
  return [optionsText(options), ...watchArguments(watch)];
}

function restoreArguments(destination, { bytesPerSecond = 0, linkFiles = false, options = null, archive = null, toLsn = 0, toTime, ...watch } = {}) {
  return [pathText(destination), bytesPerSecond, linkFiles ? 2 : 0, optionsText(options), archive, toLsn, toTime === undefined ? 0 : microseconds(toTime),
    ...watchArguments(watch)];
}

function repaired({ database, lost }) {
  return { database: adopted(database), lost: lost.flat() };
}

module.exports = {
  /** Opens the database in a directory, creating it if the directory is absent or empty. Worker threads that open the same one share it. Opening may replay a
   * long log: {cancel, timeLimit, onProgress} end it and tell the part that is done. */
  open(directory, options, watch) {
    return adopted(callNow('open', pathText(directory), openArguments(options, watch)));
  },
  /** Copies a backup, opens the copy, checks all of it, and answers it. toLsn, the last commit that is wanted, or toTime bring it forward with the archive of
   * the database; `archive` says where that is when it has moved. {cancel, timeLimit, onProgress} are of all of it. */
  restore(source, destination, options) {
    return adopted(callNow('restore', pathText(source), restoreArguments(destination, options)));
  },
  /** Makes a new database of all that can be read of a damaged one: {database, lost}, what is lost a sentence each. */
  repair(source, destination, watch) {
    return repaired(callNow('repair', pathText(source), [pathText(destination), ...watchArguments(watch)]));
  },
  /** The same with promises. */
  async: {
    open: async (directory, options, watch) => adopted(await callLater('open', pathText(directory), openArguments(options, watch))),
    restore: async (source, destination, options) => adopted(await callLater('restore', pathText(source), restoreArguments(destination, options))),
    repair: async (source, destination, watch) => repaired(await callLater('repair', pathText(source), [pathText(destination), ...watchArguments(watch)])),
  },
  /** All settings and limits: [{name, unit, help, default, minimum, maximum}]. */
  options() {
    return native.options(false).map(([name, unit, help, ...numbers]) => ({ name, unit, help, default: numbers[0], minimum: numbers[1], maximum: numbers[2] }));
  },
  /** log({time, level, area, message}) is told what the library does or meets by itself, of all databases of the process; time is in microseconds. null:
   * nobody is. */
  onLog(log, level = 'info') {
    const tell = log === null ? null : (time, number, area, message) => log({ time, level: LEVEL_NAMES[number], area, message });
    native.onLog(choice(LEVELS, level, 'level'), tell);
  },
  Cancel,
  Column,
  BraidError,
  microseconds,
  version: native.version,
};

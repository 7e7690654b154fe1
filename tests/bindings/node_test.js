// bindings/node against the real library: BRAID_ADDON names the addon.
//
// usage: node --test --expose-gc node_test.js
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { afterEach, beforeEach, describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');

const BINDING = path.join(__dirname, '..', '..', 'bindings', 'node');
const braid = require(BINDING);

const MEMORY = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(); // what is tested here is not the disk
const NOON = Date.UTC(2024, 4, 1, 12);
// Takes minutes unless it is stopped.
const ENDLESS = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n';
const COUNT_TO = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i FROM n';

let directory;
let database;
let connection;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(MEMORY, 'braid-node-'));
  database = braid.open(path.join(directory, 'db'));
  connection = database.connect();
});

afterEach(async () => {
  try {
    await database.async.close();
  } catch (error) {
    if (error.code !== 'MISUSE') throw error; // closed by the test
  }
  fs.rmSync(directory, { recursive: true });
});

function one(sql, ...values) {
  return Object.values(connection.get(sql, values))[0];
}

function fails(code, words, body) {
  let caught;
  assert.throws(body, (error) => {
    caught = error;
    assert.ok(error instanceof braid.BraidError, String(error.stack));
    assert.strictEqual(error.code, code, error.message);
    assert.ok(error.message.includes(words), error.message);
    return true;
  });
  return caught;
}

async function rejects(code, promise) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof braid.BraidError, String(error.stack));
    assert.strictEqual(error.code, code, error.message);
    return true;
  });
}

describe('statements', () => {
  it('give every type back', () => {
    for (const value of [null, 0, 1, -1, 9007199254740991, -9007199254740991, 2n ** 63n - 1n, -(2n ** 63n), 9007199254740993n, 1.5, -0, 5e-324, 1e308, Infinity,
      '', 'ä€😀', 'a\0b', 'x'.repeat(100000), Buffer.from([]), Buffer.from([0, 255, 128])]) {
      assert.deepStrictEqual(one('SELECT ?', value), value);
    }
  });

  it('take values that become others', () => {
    for (const [given, found] of [[undefined, null], [true, 1], [false, 0], [5n, 5], [NaN, null], [new Uint8Array([1, 2]), Buffer.from([1, 2])],
      [new Uint8Array([1, 2, 3]).subarray(1), Buffer.from([2, 3])], [new Uint8Array([7]).buffer, Buffer.from([7])],
      [new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1), Buffer.from([2])],
      [new Date(NOON), '2024-05-01 12:00:00'], [new Date(NOON + 7), '2024-05-01 12:00:00.007'], [1e20, 1e20], ['\ud800', '\ufffd']]) {
      assert.deepStrictEqual(one('SELECT ?', given), found);
    }
  });

  it('refuse what is no value', () => {
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n, {}, [], () => 1, Symbol('x'), new Float64Array(1)]) {
      fails('INVALID_ARGUMENT', 'parameter 1', () => one('SELECT ?', value));
    }
    fails('INVALID_ARGUMENT', '1 parameters, 2 are given', () => one('SELECT ?', 1, 2));
    fails('INVALID_ARGUMENT', '1 parameters, 0 are given', () => connection.get('SELECT ?'));
    fails('INVALID_ARGUMENT', 'expected an array', () => connection.get('SELECT ?', 'x'));
    fails('INVALID_ARGUMENT', 'expected an array', () => connection.get('SELECT ?', null));
    assert.throws(() => one('SELECT ?', new Date(NaN)), RangeError);
  });

  it('take named parameters', () => {
    assert.deepStrictEqual(connection.get('SELECT :b AS b, @a AS a, $c AS c', { a: 1, b: 'x', c: null, unused: 1 }), { b: 'x', a: 1, c: null });
    fails('INVALID_ARGUMENT', '1 of them', () => connection.get('SELECT :a, :b', { a: 1 }));
  });

  it('run, get, all and iterate', () => {
    connection.exec('CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); ');
    assert.deepStrictEqual(connection.run("INSERT INTO t VALUES (5, 'x'), (6, 'y')"), { changes: 2, lastInsertRowid: 6 });
    const insert = connection.prepare('INSERT INTO t(b) VALUES (?)');
    for (let i = 0; i < 5; i += 1) assert.deepStrictEqual(insert.run([String(i)]), { changes: 1, lastInsertRowid: 7 + i });
    assert.strictEqual(insert.writes(), true);
    insert.close();
    insert.close();
    fails('MISUSE', 'closed', () => insert.run(['x']));
    assert.deepStrictEqual(connection.get('SELECT * FROM t WHERE a = ?', [5]), { a: 5, b: 'x' });
    assert.strictEqual(connection.get('SELECT * FROM t WHERE a = 99'), undefined);
    assert.deepStrictEqual(connection.all('SELECT b FROM t ORDER BY a').map((row) => row.b), ['x', 'y', '0', '1', '2', '3', '4']);
    assert.strictEqual(connection.all(COUNT_TO, [5000]).length, 5000);
    assert.strictEqual([...connection.iterate(COUNT_TO, [5000])].reduce((sum, row) => sum + row.i, 0), 12502500);
    for (const row of connection.iterate(COUNT_TO, [5000])) if (row.i === 3) break;
    assert.deepStrictEqual(connection.all('INSERT INTO t(b) VALUES (1), (2) RETURNING b'), [{ b: '1' }, { b: '2' }]);
    const select = connection.prepare('SELECT ? AS x');
    assert.deepStrictEqual([select.columns, select.get([1]), select.all([2])], [['x'], { x: 1 }, [{ x: 2 }]]);
  });

  it('are one at a time', () => {
    fails('INVALID_ARGUMENT', 'one statement', () => connection.run('SELECT 1; SELECT 2'));
    fails('INVALID_ARGUMENT', 'no statement', () => connection.run('-- nothing'));
    assert.strictEqual(one('SELECT 1; -- no more'), 1);
    fails('INVALID_ARGUMENT', 'NUL', () => connection.run('SELECT 1\0'));
    fails('INVALID_ARGUMENT', 'expected a string', () => connection.run(5));
  });

  it('tell code, number, offset and message', () => {
    const error = fails('SQL', 'nonsense', () => connection.run('SELECT nonsense'));
    assert.deepStrictEqual([error.number, error.offset, error.name], [15, 7, 'BraidError']);
    connection.exec('CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES (1)');
    fails('CONSTRAINT', '', () => connection.run('INSERT INTO t VALUES (1)'));
    fails('DENIED', '', () => connection.exec("ATTACH 'x' AS y"));
    fails('LIMIT', '', () => connection.get('SELECT zeroblob(2000000000)'));
  });

  it('know every code of the header', () => {
    const header = fs.readFileSync(path.join(BINDING, '..', '..', 'api', 'braid.h'), 'utf8');
    const table = header.slice(header.indexOf('#define BRAID_OK 0'), header.indexOf('#define BRAID_ROW 100'));
    const codes = [...table.matchAll(/^#define BRAID_(\w+) (\d+)\b/gm)];
    assert.ok(codes.length > 15);
    for (const [, name, number] of codes) assert.strictEqual(new braid.BraidError('', Number(number)).code, name);
  });
});

describe('promises', () => {
  it('answer what calls answer', async () => {
    const later = connection.async;
    await later.exec('CREATE TABLE t(a, b)');
    assert.deepStrictEqual(await later.run('INSERT INTO t VALUES (?, ?), (3, 4)', [1, 'x']), { changes: 2, lastInsertRowid: 2 });
    assert.deepStrictEqual(await later.get('SELECT * FROM t WHERE a = :a', { a: 1 }), { a: 1, b: 'x' });
    assert.strictEqual((await later.all(COUNT_TO, [5000])).length, 5000);
    let sum = 0;
    for await (const row of later.iterate(COUNT_TO, [3000])) sum += row.i;
    assert.strictEqual(sum, 4501500);
    for await (const row of later.iterate(COUNT_TO, [3000])) if (row.i === 2000) break;
    await rejects('SQL', later.run('nonsense'));
    await rejects('INVALID_ARGUMENT', later.get('SELECT ?', [{}]));
    const statement = await later.prepare('SELECT ? AS x');
    assert.deepStrictEqual([await statement.get([1]), await statement.all([2])], [{ x: 1 }, [{ x: 2 }]]);
    await statement.close();
  });

  it('are done one after another, and refuse what answers at once meanwhile', async () => {
    connection.exec('CREATE TABLE t(a INTEGER PRIMARY KEY)');
    const all = Array.from({ length: 50 }, (_, i) => connection.async.run('INSERT INTO t VALUES (?)', [i]));
    fails('MISUSE', 'await it first', () => connection.get('SELECT 1'));
    fails('MISUSE', 'await it first', () => connection.close());
    await Promise.all(all);
    assert.strictEqual(one('SELECT count(*) FROM t'), 50);
    const failed = connection.async.run('INSERT INTO t VALUES (1)');
    const good = connection.async.run('INSERT INTO t VALUES (100)');
    await rejects('CONSTRAINT', failed);
    assert.strictEqual((await good).changes, 1);
  });

  it('leave JavaScript running, and can be interrupted', async () => {
    let ticks = 0;
    const timer = setInterval(() => { ticks += 1; if (ticks > 3) connection.interrupt(); }, 10);
    await rejects('INTERRUPTED', connection.async.all(ENDLESS));
    clearInterval(timer);
    assert.ok(ticks > 3);
    connection.setTimeLimit(50);
    fails('INTERRUPTED', '', () => connection.all(ENDLESS));
    await rejects('INTERRUPTED', connection.async.all(ENDLESS));
  });

  it('of several connections go on at the same time', async () => {
    connection.exec('CREATE TABLE t(a)');
    const others = await Promise.all([1, 2, 3, 4].map(() => database.async.connect()));
    await Promise.all(others.map(async (other, number) => {
      for (let i = 0; i < 10; i += 1) await other.async.transaction((t) => t.run('INSERT INTO t VALUES (?)', [number]));
    }));
    assert.strictEqual(one('SELECT count(*) FROM t'), 40);
  });

  it('outlive what is collected', async () => {
    assert.ok(global.gc, 'run with --expose-gc');
    for (let i = 0; i < 5; i += 1) {
      connection.prepare('SELECT 1 UNION SELECT 2').iterate().next();
      database.connect().prepare('SELECT 1');
      const pending = connection.async.all(COUNT_TO, [20000]);
      connection.async.prepare('SELECT 1');
      for (let k = 0; k < 3; k += 1) {
        global.gc();
        await new Promise((resolve) => { setTimeout(resolve, 2); });
      }
      assert.strictEqual((await pending).length, 20000);
    }
    await connection.async.get('SELECT 1');
    assert.strictEqual(one('SELECT 1'), 1);
  });
});

describe('transactions', () => {
  it('commit or roll back all three models', async () => {
    connection.exec('CREATE TABLE t(a)');
    const series = connection.createSeries('s', { tags: ['d'], fields: { v: 'DOUBLE' } });
    const write = () => {
      connection.run('INSERT INTO t VALUES (1)');
      connection.graph.addNode('A');
      series.append({ d: 'x' }, [NOON * 1000], { v: [1.5] });
    };
    assert.throws(() => connection.transaction(() => { write(); throw new Error('no'); }), /no/);
    assert.deepStrictEqual([one('SELECT count(*) FROM t'), one('SELECT count(*) FROM graph_nodes'), series.last().length], [0, 0, 0]);
    assert.strictEqual(connection.transaction(() => { write(); return 'done'; }, { durability: 'relaxed' }), 'done');
    assert.deepStrictEqual([one('SELECT count(*) FROM t'), one('SELECT count(*) FROM graph_nodes'), series.last().length], [1, 1, 1]);
    await assert.rejects(connection.async.transaction(async (t) => { await t.run('INSERT INTO t VALUES (2)'); throw new Error('no'); }), /no/);
    assert.strictEqual(one('SELECT count(*) FROM t'), 1);
    fails('MISUSE', 'connection.async.transaction', () => connection.transaction(async () => 1));
    assert.strictEqual(connection.inTransaction(), false);
  });

  it('have snapshots and savepoints', () => {
    connection.exec('CREATE TABLE t(a)');
    const other = database.connect();
    connection.begin({ mode: 'read' });
    assert.strictEqual(one('SELECT count(*) FROM t'), 0);
    other.run('INSERT INTO t VALUES (1)');
    assert.strictEqual(one('SELECT count(*) FROM t'), 0);
    fails('READ_ONLY', '', () => connection.run('INSERT INTO t VALUES (2)'));
    connection.rollback();
    connection.begin();
    connection.savepoint('s');
    connection.run('INSERT INTO t VALUES (2)');
    connection.rollbackTo('s');
    connection.release('s');
    connection.commit();
    assert.strictEqual(one('SELECT count(*) FROM t'), 1);
    fails('INVALID_ARGUMENT', 'read or write', () => connection.begin({ mode: 'x' }));
    fails('INVALID_ARGUMENT', 'full or relaxed', () => connection.setDurability('none'));
    fails('MISUSE', '', () => connection.commit());
    connection.setDurability('relaxed');
    connection.run('INSERT INTO t VALUES (3)');
    assert.ok(database.sync() >= connection.lsn());
  });

  it('come as batches', async () => {
    connection.exec('CREATE TABLE t(a, b, c, d)');
    const series = connection.createSeries('s', { tags: ['d'], fields: { v: 'DOUBLE', n: 'TEXT' } });
    const lsns = await Promise.all([1, 2, 3, 4].map((number) => {
      const batch = database.batch({ durability: number % 2 ? 'relaxed' : 'full' });
      batch.execute('INSERT INTO t VALUES (?, ?, ?, ?)', [number, 'te\0xt', Buffer.from([0]), null]).node('A', { k: number })
        .points(series, { d: number }, [new Date(NOON)], { v: [1.5], n: ['x'] });
      return batch.async.commit();
    }));
    assert.strictEqual(new Set(lsns).size, 4);
    assert.deepStrictEqual([one('SELECT count(*) FROM t'), series.last().length, one('SELECT length(b) FROM t')], [4, 4, 2]);
    const batch = database.batch();
    batch.execute('INSERT INTO nowhere VALUES (1)');
    fails('SQL', 'step 1', () => batch.commit());
    batch.edge(1, 'T', 10 ** 9);
    await rejects('CONSTRAINT', batch.async.commit());
    batch.close();
    batch.close();
    fails('MISUSE', 'closed', () => batch.commit());
  });
});

describe('graph', () => {
  it('keeps nodes and edges with every property', () => {
    const { graph } = connection;
    const properties = {
      text: 'ä\0"1234567890123456789"', int: 2n ** 63n - 1n, double: 1.5, yes: true, bytes: Buffer.from([0, 255]), list: [1, [2n ** 60n]] };
    const node = graph.addNode(['A', 'B'], properties);
    assert.deepStrictEqual(graph.node(node), { id: node, labels: ['A', 'B'], properties });
    const timed = graph.addNode('A', { at: new Date(NOON), $bytes: 'x' });
    assert.deepStrictEqual(graph.node(timed).properties, { at: { $timestamp: '2024-05-01 12:00:00' }, $bytes: 'x' });
    graph.updateNode(node, 'C', null);
    graph.updateNode(node, null, { y: 1 });
    assert.deepStrictEqual(graph.node(node), { id: node, labels: ['C'], properties: { y: 1 } });
    const edge = graph.addEdge(node, 'T', timed, { km: 2.5 });
    assert.deepStrictEqual(graph.edge(edge), { id: edge, source: node, type: 'T', target: timed, properties: { km: 2.5 } });
    graph.updateEdge(edge, { km: null });
    assert.deepStrictEqual(graph.edge(edge).properties, {});
    fails('CONSTRAINT', '', () => graph.deleteNode(node));
    graph.deleteEdge(edge);
    graph.deleteNode(node);
    graph.deleteNode(timed, { detach: true });
    fails('NOT_FOUND', 'no node', () => graph.node(node));
  });

  it('refuses what is none', () => {
    const { graph } = connection;
    fails('INVALID_ARGUMENT', 'no property', () => graph.addNode('A', { x: NaN }));
    fails('INVALID_ARGUMENT', '', () => graph.addNode('A', { x: 2n ** 70n }));
    fails('INVALID_ARGUMENT', 'NUL', () => graph.addEdge(1, 'a\0b', 1));
    fails('INVALID_ARGUMENT', 'whole number', () => graph.addEdge('1', 'T', 1));
    fails('INVALID_ARGUMENT', 'whole number', () => graph.node(1.5));
    fails('INVALID_ARGUMENT', 'whole number', () => graph.node(2 ** 53 + 2));
    fails('INVALID_ARGUMENT', 'out or in or both', () => graph.neighbors(1, { direction: 'up' }));
    fails('INVALID_ARGUMENT', 'different lengths', () => graph.addEdges('T', [1], [1, 2]));
    fails('INVALID_ARGUMENT', 'different lengths', () => graph.addEdges('T', [1, 1], [1, 2], [{}]));
    fails('INVALID_ARGUMENT', 'whole numbers', () => graph.addEdges('T', ['x'], [1]));
    fails('INVALID_ARGUMENT', 'count', () => graph.addNodes('A', 0));
  });

  it('is loaded and walked', async () => {
    const { graph } = connection;
    const first = graph.addNodes('N', Array.from({ length: 700 }, (_, k) => ({ k })));
    const hub = graph.addNode('Hub');
    const ids = Array.from({ length: 700 }, (_, i) => first + i);
    graph.addEdges('SPOKE', new Array(700).fill(hub), ids, ids.map((id) => ({ w: id })));
    graph.addEdges('NEXT', BigInt64Array.from(ids.slice(0, -1), BigInt), BigInt64Array.from(ids.slice(1), BigInt));
    assert.strictEqual(graph.addNodes('M', 3), hub + 1);
    assert.deepStrictEqual(graph.neighbors(hub).map((each) => each.node), ids);
    assert.strictEqual(graph.neighbors(hub, { limit: 5 }).length, 5);
    const before = graph.neighbors(ids[1], { direction: 'in', type: 'NEXT' });
    assert.deepStrictEqual(before.map((each) => [each.node, each.direction, each.type]), [[ids[0], 'in', 'NEXT']]);
    assert.deepStrictEqual(graph.shortestPath(ids[0], ids[400], { type: 'NEXT' }).nodes, ids.slice(0, 401));
    assert.strictEqual(graph.shortestPath(hub, ids[3], { type: 'SPOKE', weight: 'w' }).cost, ids[3]);
    assert.strictEqual(graph.shortestPath(ids[3], hub), null);
    graph.project('line', { labels: 'N', types: ['NEXT'] });
    const projection = graph.projection('line');
    assert.deepStrictEqual([projection.size().nodes, projection.size().edges], [700, 699]);
    assert.deepStrictEqual(projection.hops(ids[0], 3), ids.slice(1, 4));
    assert.strictEqual(projection.path(ids[0], ids[699]).cost, 699);
    assert.strictEqual(projection.path(ids[5], ids[0]), null);
    fails('NOT_FOUND', 'not in the projection', () => projection.hops(hub, 1));
    projection.close();
    fails('MISUSE', 'closed', () => projection.size());
    const ranks = await connection.async.graph.algorithm('pagerank', { projection: 'line', damping: 0.5 });
    assert.strictEqual(ranks.length, 700);
    assert.deepStrictEqual(graph.algorithm('pagerank', { projection: 'line', damping: 0.5 }), ranks);
    assert.strictEqual(graph.writeAlgorithm('pagerank', 'rank', { projection: 'line' }), 700);
    fails('NOT_FOUND', '', () => graph.algorithm('nothing'));
    graph.createIndex('N', 'k', { unique: true });
    assert.strictEqual(graph.find('N', 'k', 5), ids[5]);
    assert.strictEqual(graph.find('N', 'k', -1), null);
  });

  it('has rows as nodes', async () => {
    connection.exec("CREATE TABLE devices(id TEXT PRIMARY KEY, model TEXT); INSERT INTO devices VALUES ('a', 'x'), ('b', 'y')");
    await connection.async.graph.bind('Device', 'devices', 'id');
    const edge = await connection.async.graph.link('Device', 'a', 'FEEDS', 'Device', 'b', { km: 1 });
    assert.strictEqual(connection.graph.edge(edge).target, connection.graph.find('Device', 'id', 'b'));
    assert.deepStrictEqual((await connection.async.graph.node(edge)).properties, { id: 'a', model: 'x' });
  });
});

describe('series', () => {
  it('takes every type, and typed arrays', async () => {
    const series = connection.createSeries('s', {
      tags: { d: 'TEXT', n: 'INTEGER' }, fields: { v: 'DOUBLE', i: 'BIGINT', b: 'BOOLEAN', t: 'TEXT', j: 'JSON' }, on_conflict: 'merge' });
    assert.deepStrictEqual(series.schema().tags, ['d', 'n']);
    series.append({ d: 'a', n: 7 }, [new Date(NOON), '2024-05-01T13:00:00Z', NOON * 1000 + 1],
      { v: [1.5, null, 2], i: [2n ** 63n - 1n, null, 3], b: [true, undefined, 0], t: ['ä', null, ''], j: [{ k: 1 }, null, '[]'] });
    assert.deepStrictEqual(series.query().map(({ time, v, i, b, t, j }) => [time, v, i, b, t, j]), [
      ['2024-05-01 12:00:00', 1.5, 2n ** 63n - 1n, 1, 'ä', '{"k":1}'],
      ['2024-05-01 12:00:00.000001', 2, 3, 0, '', '[]'],
      ['2024-05-01 13:00:00', null, null, null, null, null]]);
    const count = 5000;
    const times = BigInt64Array.from({ length: count }, (_, i) => BigInt(NOON) * 1000n + BigInt(i) * 1000000n);
    const halves = Float64Array.from(times, (_, i) => i / 2);
    const numbers = BigInt64Array.from(times, (_, i) => BigInt(i));
    await connection.async.series('s').append({ d: 'big' }, times, { v: halves, i: numbers });
    const rows = await connection.async.series('s').query({ tags: { d: 'big' }, since: new Date(NOON + 10000), until: new Date(NOON + 12000) });
    assert.deepStrictEqual(rows.map((row) => [row.v, row.i, row.n]), [[5, 10, null], [5.5, 11, null]]);
    assert.strictEqual(series.last().length, 2);
    series.append({ d: 'a', n: 7 }, [NOON * 1000], { v: [9] }, { onConflict: 'ignore' });
    assert.strictEqual(series.query({ tags: { d: 'a' } })[0].v, 1.5);
  });

  it('refuses what is no point', () => {
    const series = connection.createSeries('s', { tags: ['d'], fields: { v: 'DOUBLE', i: 'BIGINT', t: 'TEXT' } });
    const tags = { d: 'a' };
    fails('INVALID_ARGUMENT', "no tag 'x'", () => series.append({ x: 1 }, [1], {}));
    fails('INVALID_ARGUMENT', "no field 'w'", () => series.append(tags, [1], { w: [1] }));
    fails('INVALID_ARGUMENT', 'field 1', () => series.append(tags, [1], { v: [1, 2] }));
    fails('INVALID_ARGUMENT', 'field 1', () => series.append(tags, [1], { v: ['x'] }));
    fails('INVALID_ARGUMENT', 'field 2', () => series.append(tags, [1], { i: [1.5] }));
    fails('INVALID_ARGUMENT', 'field 1', () => series.append(tags, [1n], { v: new Float64Array(2) }));
    fails('INVALID_ARGUMENT', 'field 3', () => series.append(tags, [1], { t: ['a\0b'] }));
    fails('INVALID_ARGUMENT', 'without NUL', () => series.append({ d: 'a\0b' }, [1], {}));
    fails('INVALID_ARGUMENT', 'time', () => series.append(tags, ['yesterday'], { v: [1] }));
    fails('INVALID_ARGUMENT', '', () => series.append(tags, [2n ** 63n - 1n], { v: [1] }));
    fails('NOT_FOUND', 'no hypertable', () => connection.series('nothing').append(tags, [1], {}));
    assert.strictEqual(series.query().length, 0);
    assert.strictEqual(series.append(tags, [], {}), 0);
  });
});

describe('databases', () => {
  it('tell about themselves', async () => {
    connection.graph.addNode('A');
    database.checkpoint();
    assert.deepStrictEqual([database.check(), await database.async.check()], [[], []]);
    assert.strictEqual(database.maintain(10), 0);
    assert.ok(database.stats().lsn >= 1);
    assert.deepStrictEqual(Object.keys(await database.async.stats()), Object.keys(database.stats()));
    assert.match(braid.version, /^\d+\.\d+\.\d+$/);
  });

  it('are backed up', async () => {
    connection.exec('CREATE TABLE t(a); INSERT INTO t VALUES (7)');
    const report = await database.async.backup(path.join(directory, 'copy'));
    assert.strictEqual(report.lsn, database.stats().lsn);
    const copy = braid.open(path.join(directory, 'copy'));
    assert.strictEqual(copy.connect().get('SELECT a FROM t').a, 7);
    copy.close();
    fails('INVALID_ARGUMENT', '', () => database.backup(path.join(directory, 'copy')));
  });

  it('refuse what cannot be opened', () => {
    fails('INVALID_ARGUMENT', 'nonsense', () => braid.open(path.join(directory, 'x'), { nonsense: 1 }));
    fails('INVALID_ARGUMENT', 'NUL', () => braid.open('a\0b'));
    fails('INVALID_ARGUMENT', 'expected a string', () => braid.open(undefined));
    assert.throws(() => braid.open('/proc/nowhere/db'), braid.BraidError);
    fails('INVALID_ARGUMENT', 'with others', () => braid.open(path.join(directory, 'db'), { busy_timeout_ms: 1 }));
    const same = braid.open(path.join(directory, 'db'));
    assert.strictEqual(same.connect().get('SELECT 1 AS a').a, 1);
    same.close();
    assert.strictEqual(one('SELECT 1'), 1);
  });

  it('close in any order', async () => {
    const statement = connection.prepare('SELECT 1');
    const projection = connection.graph.projection();
    const rows = connection.iterate(COUNT_TO, [5000]);
    rows.next();
    connection.close();
    for (const body of [() => statement.get(), () => projection.size(), () => connection.exec('SELECT 1'), () => connection.begin(), () => [...rows]]) {
      fails('MISUSE', 'closed', body);
    }
    await rejects('MISUSE', connection.async.exec('SELECT 1'));
    statement.close();
    connection.close();
    database.close();
    fails('MISUSE', 'closed', () => database.connect());
    await rejects('MISUSE', database.async.check());
    connection.interrupt();
  });

  it('wait for promises before they close', async () => {
    const pending = connection.async.all(COUNT_TO, [100000]);
    fails('MISUSE', '', () => database.close());
    const [rows] = await Promise.all([pending, database.async.close()]);
    assert.strictEqual(rows.length, 100000);
  });

  it('are shared by worker threads', async () => {
    connection.exec('CREATE TABLE t(a)');
    const script = `
      const { workerData } = require('node:worker_threads');
      const braid = require(workerData.binding);
      const database = braid.open(workerData.place);
      const connection = database.connect();
      for (let i = 0; i < 10; i += 1) connection.run('INSERT INTO t VALUES (?)', [i]);
      if (workerData.close) database.close();`;
    await Promise.all([true, false, true].map((close) => new Promise((resolve, reject) => {
      const worker = new Worker(script, { eval: true, workerData: { binding: BINDING, place: path.join(directory, 'db'), close } });
      worker.on('error', reject);
      worker.on('exit', resolve);
    })));
    assert.strictEqual(one('SELECT count(*) FROM t'), 30);
  });

  it('let a program end that closes nothing', () => {
    const script = `
      const braid = require(${JSON.stringify(BINDING)});
      const database = braid.open(${JSON.stringify(path.join(directory, 'other'))});
      const connection = database.connect();
      connection.exec('CREATE TABLE t(a)');
      connection.prepare('SELECT 1').get();
      database.batch().node('A');
      connection.async.all(${JSON.stringify(ENDLESS)}).catch(() => {});
      setTimeout(() => { console.log('done'); process.exit(3); }, 50);`;
    const found = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 60000 });
    assert.deepStrictEqual([found.status, found.stdout], [3, 'done\n'], found.stderr);
  });
});

describe('cancel tokens and progress', () => {
  it('stop a connection until they are reset', async () => {
    const token = new braid.Cancel();
    connection.setCancel(token);
    const pending = connection.async.all(ENDLESS);
    setTimeout(() => token.set(), 30);
    await rejects('INTERRUPTED', pending);
    assert.strictEqual(token.isSet, true);
    fails('INTERRUPTED', 'cancel', () => connection.all('SELECT 1'));
    token.reset();
    assert.strictEqual(one('SELECT 1'), 1);
    token.close();
    fails('MISUSE', 'closed', () => token.set());
    fails('INVALID_ARGUMENT', 'cancel', () => connection.setCancel(token));
    fails('INVALID_ARGUMENT', 'Cancel', () => connection.setCancel({}));
    connection.setCancel(null);
    assert.strictEqual(one('SELECT 1'), 1);
  });

  it('may be closed while calls that they were given to wait for a thread', async () => {
    const waiting = [];
    for (let i = 0; i < 12; ++i) {
      const token = new braid.Cancel();
      waiting.push(braid.async.open(path.join(directory, `closed-${i}`), {}, { cancel: token }));
      token.close();
      fails('MISUSE', 'closed', () => token.set());
    }
    for (const opened of await Promise.all(waiting)) opened.close();
  });

  it('stop calls on a database, which are bounded and followed too', async () => {
    const token = new braid.Cancel();
    database.setCancel(token);
    token.set();
    for (const body of [() => database.check(), () => database.checkpoint(), () => database.sync()]) fails('INTERRUPTED', 'cancel', body);
    await rejects('INTERRUPTED', database.async.check());
    token.reset();
    database.setCancel(null);
    connection.graph.addNodes('N', 100000);
    const seen = [];
    database.onProgress((fraction) => { seen.push(fraction); });
    assert.deepStrictEqual(database.check(), []);
    assert.strictEqual(seen.at(-1), 1);
    assert.deepStrictEqual(seen, [...seen].sort((a, b) => a - b));
    seen.length = 0;
    assert.deepStrictEqual(await database.async.check(), []);
    await new Promise(setImmediate);
    assert.ok(seen.length > 0);
    database.onProgress(() => { throw new RangeError('enough'); });
    assert.throws(() => database.check(), RangeError);
    database.onProgress(null);
    database.setTimeLimit(1);
    fails('INTERRUPTED', 'time limit', () => database.check());
    database.setTimeLimit(0);
    assert.deepStrictEqual(database.check(), []);
  });

  it('follow and stop what runs on a connection, at once and with promises', async () => {
    let calls = 0;
    connection.onProgress(() => { calls += 1; return true; });
    fails('INTERRUPTED', 'progress', () => connection.all(ENDLESS));
    assert.strictEqual(calls, 1);
    await rejects('INTERRUPTED', connection.async.all(ENDLESS));
    assert.ok(calls > 1);
    connection.onProgress(() => { throw new RangeError('enough'); });
    assert.throws(() => connection.all(ENDLESS), RangeError);
    await assert.rejects(connection.async.all(ENDLESS), RangeError);
    connection.onProgress(null);
    assert.strictEqual(one('SELECT 1'), 1);
  });

  it('end opening, restoring and repairing', async () => {
    const [place, copy] = ['other', 'copy'].map((name) => path.join(directory, name));
    braid.open(place).close();
    const token = new braid.Cancel();
    const calls = [[(watch) => braid.open(place, null, watch), (watch) => braid.async.open(place, null, watch)],
      [(watch) => braid.restore(place, copy, watch), (watch) => braid.async.restore(place, copy, watch)],
      [(watch) => braid.repair(place, copy, watch).database, async (watch) => (await braid.async.repair(place, copy, watch)).database]];
    for (const [now, later] of calls) {
      token.set();
      fails('INTERRUPTED', 'cancel', () => now({ cancel: token }));
      await rejects('INTERRUPTED', later({ cancel: token }));
      token.reset();
      for (const call of [now, later]) {
        const seen = [];
        const made = await call({ cancel: token, timeLimit: 60000, onProgress: (fraction) => { seen.push(fraction); } });
        await new Promise(setImmediate);
        assert.strictEqual(seen.at(-1), 1);
        assert.deepStrictEqual(seen, [...seen].sort((a, b) => a - b));
        made.close();
        fs.rmSync(copy, { recursive: true, force: true });
      }
    }
    assert.throws(() => braid.open(place, null, { onProgress: () => { throw new RangeError('enough'); } }), RangeError);
    braid.open(place).close();
  });
});

describe('administration', () => {
  it('restores a backup to a commit of the archive, and repairs', () => {
    const [place, copy, made] = ['archived', 'copy', 'made'].map((name) => path.join(directory, name));
    const archived = braid.open(place, { archive: 'on' });
    const writer = archived.connect();
    writer.exec('CREATE TABLE t(a)');
    const seen = [];
    archived.backup(copy, { pruneArchive: true, onProgress: (done, all) => { seen.push([done, all]); } });
    assert.ok(seen.length > 0 && seen.at(-1)[0] === seen.at(-1)[1]);
    fails('INTERRUPTED', '', () => archived.backup(`${copy}2`, { onProgress: () => true }));
    const lsns = [1, 2, 3].map((number) => {
      writer.run('INSERT INTO t VALUES (?)', [number]);
      return writer.lsn();
    });
    archived.close();
    const restored = braid.restore(copy, made, { toLsn: lsns[1] });
    assert.strictEqual(restored.connect().get('SELECT count(*) AS n FROM t').n, 2);
    restored.close();
    fails('NOT_FOUND', String(lsns[2]), () => braid.restore(copy, `${made}2`, { toLsn: lsns[2] + 10 }));
    const repaired = braid.repair(place, `${made}3`);
    assert.deepStrictEqual(repaired.lost, []);
    assert.strictEqual(repaired.database.connect().get('SELECT count(*) AS n FROM t').n, 3);
    repaired.database.close();
  });

  it('restricts a connection, tells options and the log', async () => {
    connection.exec('CREATE TABLE t(a)');
    const stranger = database.connect();
    stranger.restrict({ readOnly: true, statementMilliseconds: 5000 });
    assert.strictEqual(stranger.get('SELECT count(*) AS n FROM t').n, 0);
    fails('DENIED', '', () => stranger.exec('DROP TABLE t'));
    const busy = braid.options().find((each) => each.name === 'busy_timeout_ms');
    assert.strictEqual(database.option('busy_timeout_ms'), busy.default);
    fails('NOT_FOUND', 'nothing', () => database.option('nothing'));
    const told = [];
    braid.onLog((event) => told.push(event));
    connection.graph.addNode('A');
    database.checkpoint();
    await new Promise((resolve) => { setTimeout(resolve, 20); });
    braid.onLog(null);
    assert.deepStrictEqual(told.map(({ level, area }) => [level, area]), [['info', 'checkpoint']]);
    fails('INVALID_ARGUMENT', 'level', () => braid.onLog(() => {}, 'loud'));
  });
});

describe('questions and columns', () => {
  it('expand, and name projections', async () => {
    const { graph } = connection;
    const first = graph.addNodes('N', [0, 1, 2, 3, 4].map((k) => ({ k })));
    graph.addEdges('T', [0, 1, 2, 3].map((i) => first + i), [1, 2, 3, 4].map((i) => first + i));
    assert.deepStrictEqual(graph.expand(first, { hopsMax: 2 }).map(({ node, depth }) => [node, depth]), [[first + 1, 1], [first + 2, 2]]);
    assert.strictEqual((await connection.async.graph.expand(first, { hopsMin: 0, types: ['T'] })).length, 5);
    assert.deepStrictEqual(graph.expand(first, { nodeFilter: { k: 1 } }).map(({ node }) => node), [first + 1]);
    fails('NOT_FOUND', '', () => graph.expand(1000));
    assert.deepStrictEqual(graph.projections(), []);
    assert.strictEqual(graph.project('all', { labels: ['N'], orientation: 'undirected' }).nodes, 5);
    assert.deepStrictEqual(graph.projections().map(({ name, orientation }) => [name, orientation]), [['all', 'undirected']]);
    graph.dropProjection('all');
    fails('NOT_FOUND', 'all', () => graph.dropProjection('all'));
  });

  it('roll up, and tell last points', async () => {
    const series = connection.createSeries('m', { tags: ['host'], fields: { v: 'DOUBLE' } });
    for (const [at, host] of ['a', 'b'].entries()) {
      series.append({ host }, Array.from({ length: 6 }, (_, i) => new Date(NOON + i * 1200000)), { v: Array.from({ length: 6 }, (_, i) => i + 10 * at) });
    }
    assert.deepStrictEqual(series.rollup('1 hour', { tags: { host: 'a' } }).map(({ field, count, sum }) => [field, count, sum]), [['v', 3, 3], ['v', 3, 12]]);
    assert.strictEqual((await connection.async.series('m').rollup('1 day', { fields: 'v', timezone: 'Europe/Berlin', since: new Date(NOON), until: new Date(NOON + 1) }))[0].count, 1);
    assert.deepStrictEqual(series.last().map(({ v }) => v), [5, 15]);
    assert.deepStrictEqual(series.last({ tags: { host: 'b' } }).map(({ v }) => v), [15]);
    fails('INVALID_ARGUMENT', '', () => series.rollup('a while'));
  });

  it('give rows as columns', async () => {
    connection.exec("CREATE TABLE t(a INTEGER, b REAL, c TEXT, d BLOB, e BOOLEAN, f TIMESTAMP); INSERT INTO t VALUES (1, 1.5, 'größe', x'00ff', 1, '2024-05-01 12:00:00'), (NULL, NULL, NULL, NULL, NULL, NULL)");
    const columns = connection.columns('SELECT *, NULL AS g FROM t WHERE a IS NOT ? ORDER BY a DESC', [7]);
    assert.deepStrictEqual(Object.values(columns).map(({ kind }) => kind), ['int64', 'double', 'text', 'bytes', 'bool', 'timestamp', 'null']);
    assert.deepStrictEqual(Object.values(columns).map((column) => [...column]),
      [[1n, null], [1.5, null], ['größe', null], [Buffer.from([0, 255]), null], [1, null], [BigInt(NOON) * 1000n, null], [null, null]]);
    const many = await connection.async.columns(COUNT_TO, [150000]);
    assert.ok(many.i.values instanceof BigInt64Array && many.i.nulls === null);
    assert.strictEqual(many.i.values.reduce((sum, value) => sum + value, 0n), 150000n * 150001n / 2n);
    assert.deepStrictEqual([...connection.columns('SELECT a FROM t WHERE 0').a], []);
    fails('INVALID_ARGUMENT', 'rows', () => connection.columns('DELETE FROM t'));
    fails('INVALID_ARGUMENT', 'parameters', () => connection.columns('SELECT ?'));
  });
});

describe('feeds', () => {
  it('tell commits as they come, with what each changed', async () => {
    connection.exec('CREATE TABLE t(a INTEGER PRIMARY KEY, b)');
    const feed = database.feed();
    assert.strictEqual(feed.start, connection.lsn());
    assert.strictEqual(await feed.next(10), null);
    const waiting = feed.next();
    await connection.async.run('INSERT INTO t VALUES (1, 9007199254740993)');
    const change = await waiting;
    assert.deepStrictEqual([change.lsn, change.rows], [connection.lsn(), [{ table: 't', op: 'insert', key: { a: 1 }, new: { a: 1, b: 9007199254740993n } }]]);
    await feed.close();
    await rejects('MISUSE', feed.next());
  });

  it('are read by loops, of the models that are chosen, until they are closed', async () => {
    const feed = database.feed({ models: ['graph'], bytesMax: 1 << 20 });
    connection.exec("CREATE TABLE t(a); INSERT INTO graph_nodes(labels) VALUES ('[\"N\"]'), ('[\"M\"]')");
    const labels = [];
    for await (const change of feed) {
      labels.push(...change.graph.map((node) => node.labels[0]));
      break;
    }
    assert.deepStrictEqual(labels, ['N', 'M']);
    const other = database.feed({ models: 'series' });
    setTimeout(() => other.close(), 20);
    for await (const change of other) assert.fail(JSON.stringify(change));
    fails('INVALID_ARGUMENT', 'models', () => database.feed({ models: ['all'] }));
  });

  it('end with their database', async () => {
    const waiting = database.feed().next();
    fails('MISUSE', 'feed', () => database.close());
    const stopped = rejects('INTERRUPTED', waiting);
    await database.async.close();
    await stopped;
  });
});

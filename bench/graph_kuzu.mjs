// Kùzu, or LadybugDB which has the same interface, for bench/graph: node graph_kuzu.mjs JOB.json
//
// The job names the module, a directory with vertices.csv and edges.csv, and the questions. Each line of standard output is one figure:
// {"metric", "value", "unit", "answers"}. The module is looked for in NODE_PATH.
import { readFileSync } from 'fs';
import { createRequire } from 'module';

const job = JSON.parse(readFileSync(process.argv[2]));
const { Database, Connection } = createRequire(import.meta.url)(job.module);
const CACHE_BYTES = 2 ** 31;
const THREADS = 2;
const NO_PATH = -1;
const LONGEST_PATH = 30;

const database = new Database(`${job.directory}/database`, CACHE_BYTES);
database.initSync();
const connection = new Connection(database, THREADS);
connection.initSync();

const nowUs = () => Number(process.hrtime.bigint()) / 1e3;
const report = (metric, value, unit, answers = []) => console.log(JSON.stringify({ metric, value, unit, answers }));

const run = (text) => {
  const results = connection.querySync(text);
  for (const result of Array.isArray(results) ? results : [results]) result.close();
};

/// The first column of the first row, or what stands for no row.
const answer = (statement, parameters) => {
  const result = connection.executeSync(statement, parameters);
  const rows = result.getAllSync();
  result.close();
  return rows.length === 0 ? NO_PATH : Number(Object.values(rows[0])[0]);
};

/// The mean time of the questions, after one that is not among them.
const measure = (metric, text, warmUp, questions) => {
  const statement = connection.prepareSync(text);
  answer(statement, warmUp);
  const start = nowUs();
  const answers = questions.map((parameters) => answer(statement, parameters));
  report(metric, (nowUs() - start) / questions.length, 'us', answers);
};

const load = () => {
  run('CREATE NODE TABLE V(id INT64 PRIMARY KEY)');
  run('CREATE REL TABLE E(FROM V TO V)');
  run(`COPY V FROM '${job.directory}/vertices.csv'`);
  const start = nowUs();
  run(`COPY E FROM '${job.directory}/edges.csv'`);
  report('load', job.edges / ((nowUs() - start) / 1e6), 'edges/s');
};

load();
const starts = job.starts.map((start) => ({ start }));
measure('hop_1', 'MATCH (a:V {id: $start})-[:E]->(b:V) RETURN count(DISTINCT b.id)', { start: job.warm_up.start }, starts);
for (const hops of [2, 3]) {
  const text = `MATCH (a:V {id: $start})-[:E* SHORTEST 1..${hops}]->(b:V) WHERE b.id <> $start RETURN count(*)`;
  measure(`hop_${hops}`, text, { start: job.warm_up.start }, starts);
}
const arrow = job.both_ways ? '-' : '->';
measure(
  'path',
  `MATCH (a:V {id: $source})-[e:E* SHORTEST 1..${LONGEST_PATH}]${arrow}(b:V {id: $target}) RETURN length(e)`,
  { source: job.warm_up.source, target: job.warm_up.target },
  job.paths.map(([source, target]) => ({ source, target })),
);
connection.closeSync();
database.closeSync();

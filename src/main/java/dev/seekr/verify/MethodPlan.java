package dev.seekr.verify;

import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.disk.Fields;
import dev.seekr.model.LlamaConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * plan.json of a folder of reference runs: the samples, what is kept and drawn of each task, the
 * micro-batches of each step, and the constants.
 *
 * @param tasks training samples, task by task
 * @param pseudo samples that stand for those that lfpt5 makes up, task by task
 * @param steps micro-batches of each step, stage by stage
 * @param mtlSteps the same of multi-task learning, which has one stage
 */
record MethodPlan(
    Fields json,
    List<List<Sample>> tasks,
    List<List<Sample>> pseudo,
    List<List<List<Micro>>> steps,
    List<List<List<Micro>>> mtlSteps) {

  /** A micro-batch: pairs of a task and a sample, or the place of a kept one. */
  record Micro(boolean replay, List<int[]> samples) {}

  static MethodPlan read(Path file, LlamaConfig config) {
    Fields json = Fields.read(file);
    return new MethodPlan(
        json,
        samples(json, "tasks", config),
        samples(json, "pseudo", config),
        steps(json, "steps"),
        steps(json, "mtl_steps"));
  }

  private static List<List<Sample>> samples(Fields json, String name, LlamaConfig config) {
    var tasks = new ArrayList<List<Sample>>();
    for (var task : json.json().path(name)) {
      var samples = new ArrayList<Sample>();
      for (var node : task) {
        var sample = new Fields(node, json.where());
        samples.add(
            new Sample(
                sample.wholes("tokens", 0, config.V() - 1),
                sample.whole("answer_start", 1, Integer.MAX_VALUE)));
      }
      tasks.add(samples);
    }
    return tasks;
  }

  private static List<List<List<Micro>>> steps(Fields json, String name) {
    var stages = new ArrayList<List<List<Micro>>>();
    for (var stage : json.json().path(name)) {
      var steps = new ArrayList<List<Micro>>();
      for (var step : stage) {
        var micros = new ArrayList<Micro>();
        for (var node : step) {
          var micro = new Fields(node, json.where());
          int[][] pairs = micro.lists("samples", 0, Integer.MAX_VALUE);
          micros.add(new Micro(micro.text("kind").equals("replay"), List.of(pairs)));
        }
        steps.add(micros);
      }
      stages.add(steps);
    }
    return stages;
  }

  Fields hyper() {
    return json.section("hyper");
  }

  double[] betas() {
    var betas = hyper().json().path("betas");
    return new double[] {betas.path(0).doubleValue(), betas.path(1).doubleValue()};
  }

  List<Sample> all() {
    return tasks.stream().flatMap(List::stream).toList();
  }

  List<Sample> kept(int k) {
    return IntStream.of(json.lists("kept", 0, Integer.MAX_VALUE)[k])
        .mapToObj(tasks.get(k)::get)
        .toList();
  }

  /** Place of [task, position] among all that is kept. */
  int position(int[] pair) {
    int before = 0;
    for (int k = 0; k < pair[0]; k++) before += kept(k).size();
    return before + pair[1];
  }

  List<SampledQueries> queries(int k) {
    var queries = new ArrayList<SampledQueries>();
    for (int j = 0; j < kept(k).size(); j++) queries.add(SampledQueries.of(rows(k, j)));
    return queries;
  }

  /** Query rows of the j-th sample kept of task k, as they were drawn. */
  int[] rows(int k, int j) {
    var rows = json.json().path("rows").path(k).path(j);
    return IntStream.range(0, rows.size()).map(i -> rows.path(i).intValue()).toArray();
  }
}

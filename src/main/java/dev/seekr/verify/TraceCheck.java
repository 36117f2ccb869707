package dev.seekr.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.data.Interleave;
import dev.seekr.disk.RunFolder;
import dev.seekr.method.Method;
import dev.seekr.method.Seekr;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Safetensors;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** A whole two-task run of SEEKR with one replay batch, stepped as training steps it. */
final class TraceCheck {
  private TraceCheck() {}

  static void run(
      Path folder, LlamaConfig config, Ops ops, boolean recompute, Checks checks, Path scratch) {
    JsonNode json = read(folder.resolve("trace.json"));
    RunConfig settings = settings(json.path("hyper"));
    try (var trace = Safetensors.open(folder.resolve("trace.safetensors"));
        var memory = new Memory("trace");
        var model = Golden.model(folder, "trace_init", config, ops, memory, recompute);
        var method =
            new Seekr(
                new Setup(settings, model, new RunFolder(scratch)),
                (c, s) -> ImportanceChecks.queries(trace.get("replay.queries")));
        var learner = new Learner(model, method, settings.train())) {
      JsonNode steps = json.path("steps");
      int at = 0;
      var first = GoldenCase.read(trace, "task1.0.", config.V()).samples();
      var context = new Method.Context(0, "task1", first, null);
      method.begin(context);
      for (Unit unit : fresh(trace, "task1.", config.V()))
        at = step(learner, unit, steps, at, checks, settings);
      method.remember(context, first);
      importance(method, json, trace, config, ops, checks);

      List<Unit> tasks = fresh(trace, "task2.", config.V());
      List<Unit> rehearsals =
          Collections.nCopies(tasks.size() / 2, new Unit.Rehearsal(method.replay()));
      for (var unit : Interleave.<Unit>of(tasks, rehearsals))
        at = step(learner, unit.item(), steps, at, checks, settings);
      checks.same("trace.steps", new int[] {at}, new int[] {steps.size()});
      finalWeights(model, trace, checks);
    }
  }

  private static void importance(
      Seekr method, JsonNode json, Safetensors trace, LlamaConfig config, Ops ops, Checks checks) {
    double[] i = Arrays.stream(method.importance()).flatMapToDouble(Arrays::stream).toArray();
    checks.elements("trace.importance", i, trace.get("importance").toDoubles(), Golden.TRACE);
    int[][] heads = method.replay().getFirst().buffer().heads();
    if (ops.dtype() != ops.wide()) {
      double forgone = forgone(trace.get("importance"), json.path("selected_heads"), heads);
      checks.add("trace.selected_heads", forgone, Golden.TRACE);
      return;
    }
    var pairs = new ArrayList<Integer>();
    for (int l = 0; l < config.L(); l++) for (int h : heads[l]) pairs.addAll(List.of(l, h));
    var expected = new ArrayList<Integer>();
    json.path("selected_heads")
        .forEach(p -> expected.addAll(List.of(p.get(0).asInt(), p.get(1).asInt())));
    checks.same("trace.selected_heads", ints(pairs), ints(expected));
  }

  /**
   * Rounding turns the choice between heads that are nearly as important: the share of the expected
   * heads' importance [L,NH] that those selected fall short of.
   */
  private static double forgone(Tensor importance, JsonNode expected, int[][] selected) {
    int NH = (int) importance.dim(1);
    double most = 0, sum = 0;
    for (JsonNode pair : expected)
      most += importance.get(pair.get(0).asInt() * NH + pair.get(1).asInt());
    for (int l = 0; l < selected.length; l++)
      for (int h : selected[l]) sum += importance.get((long) l * NH + h);
    return Math.max(0, most - sum) / most;
  }

  private static int[] ints(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }

  private static void finalWeights(LlamaModel model, Safetensors trace, Checks checks) {
    model
        .weights
        .byName()
        .forEach(
            (name, w) ->
                checks.norm("trace.final." + name, w, trace.get("final." + name), Golden.TRACE));
  }

  private static List<Unit> fresh(Safetensors trace, String prefix, int V) {
    var units = new ArrayList<Unit>();
    for (int i = 0; trace.has(prefix + i + ".input_ids"); i++) {
      units.add(new Unit.Fresh(GoldenCase.read(trace, prefix + i + ".", V).samples()));
    }
    return units;
  }

  /** One step, and each of its losses against the trace. */
  private static int step(
      Learner learner, Unit unit, JsonNode steps, int at, Checks checks, RunConfig settings) {
    var losses = learner.step(at, List.of(unit), settings.train().lr()).losses();
    JsonNode expected = steps.path(at);
    String name = "trace.step" + at + ".";
    checks.number(
        name + "loss", losses.total(), expected.path("loss").asDouble(Double.NaN), Golden.TRACE);
    boolean rehearsal = unit instanceof Unit.Rehearsal;
    if (rehearsal != expected.path("kind").asText().equals("replay")) {
      throw Failure.data(
          "trace.json: step %d is \"%s\"; training would take the other kind here",
          at, expected.path("kind").asText());
    }
    if (rehearsal) {
      checks.number(
          name + "replay",
          losses.means().get("replay"),
          expected.path("replay").asDouble(),
          Golden.TRACE);
      checks.number(
          name + "ld", losses.means().get("logits"), expected.path("ld").asDouble(), Golden.TRACE);
      checks.number(
          name + "attn",
          losses.means().get("attention"),
          expected.path("attn").asDouble(),
          Golden.TRACE);
    }
    return at + 1;
  }

  private static RunConfig settings(JsonNode hyper) {
    boolean released = hyper.path("variant").asText().equals("official");
    return Golden.config(
        released ? Variant.released : Variant.paper,
        1 - hyper.path("logits_weight").asDouble(),
        hyper.path("attn_weight").asDouble(),
        "method.seekr.layers=" + hyper.path("layer_budget"),
        "method.seekr.heads=" + hyper.path("head_budget"),
        "method.seekr.queries=" + hyper.path("query_budget"),
        "train.micro_tokens=" + Integer.MAX_VALUE,
        "train.lr=" + hyper.path("lr"),
        "train.beta1=" + hyper.path("betas").get(0),
        "train.beta2=" + hyper.path("betas").get(1),
        "train.eps=" + hyper.path("eps"),
        "train.weight_decay=" + hyper.path("weight_decay"),
        "train.clip=0");
  }

  private static JsonNode read(Path file) {
    try {
      return new ObjectMapper().readTree(Files.readString(file));
    } catch (IOException e) {
      throw Failure.data("%s: cannot be read as JSON: %s", file, e.getMessage());
    }
  }
}

package dev.seekr.run;

import dev.seekr.backends.Backends;
import dev.seekr.config.RunConfig;
import dev.seekr.data.EncodedTask;
import dev.seekr.data.Sample;
import dev.seekr.data.Task;
import dev.seekr.data.TaskSequence;
import dev.seekr.disk.RunFolder;
import dev.seekr.disk.Scratch;
import dev.seekr.distributed.Collectives;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.evaluation.TaskMetrics;
import dev.seekr.method.Method;
import dev.seekr.method.Methods;
import dev.seekr.method.Setup;
import dev.seekr.ops.Ops;
import dev.seekr.tokenizer.Tokenizer;
import dev.seekr.trainer.Encoded;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All that can be said of a run before it begins. Everything is read and checked, and one step is
 * taken to see how long it takes; nothing is written.
 *
 * @param memoryBytes of tensors that training takes at most
 * @param diskBytes that the run would write
 * @param seconds that its steps would take, without scoring, as the one that was tried did
 * @param samples the first training sequence of each task
 */
public record Survey(
    String backend,
    Preview preview,
    long memoryBytes,
    long diskBytes,
    double seconds,
    Map<String, List<Token>> samples) {

  /**
   * @param target whether it is trained on
   */
  public record Token(int id, String text, boolean target) {}

  /** Throws Failure as training would before its first step. */
  public static Survey of(RunConfig whole) {
    var atHand = TaskSequence.atHand(whole.data());
    RunConfig config = atHand.settings(whole);
    List<Task> tasks = TaskSequence.load(config.data(), config.train().seed());
    TaskMetrics.require(config.eval(), tasks.stream().map(Task::name).toList());
    try (Ops ops = Backends.open(config.run());
        var lm = LanguageModel.load(config, ops, true);
        var scratch = Scratch.create()) {
      var encoded =
          Encoded.of(
              tasks, TaskSequence.general(config.data()), lm.encoder(config.data()), config.data());
      var setup =
          new Setup(config, lm.model(), new RunFolder(scratch.folder()), Collectives.ALONE, true);
      try (Method method = Methods.of(setup)) {
        var preview = Preview.of(config, atHand, encoded, method, lm);
        var stages = encoded.contexts(method);
        long disk = DiskPlan.of(config, lm.model(), method, stages).bytes();
        long memory = BytePlan.of(config, lm.model().config).total();
        long tokens = preview.stages().stream().mapToLong(Preview.StagePart::tokens).sum();
        double seconds = secondsPerToken(config, lm, method, stages.getFirst()) * tokens;
        var samples = new LinkedHashMap<String, List<Token>>();
        for (EncodedTask task : encoded.tasks())
          samples.put(task.task().name(), marked(task.samples().getFirst(), lm.tokenizer()));
        return new Survey(ops.description(), preview, memory, disk, seconds, samples);
      }
    }
  }

  /** Of a step on the first samples; the one before it, which also makes ready, does not count. */
  private static double secondsPerToken(
      RunConfig config, LanguageModel lm, Method method, Method.Context stage) {
    var samples = new ArrayList<Sample>();
    int tokens = 0;
    for (Sample s : stage.samples()) {
      if (samples.size() == config.train().together()) break;
      if (!samples.isEmpty() && tokens + s.length() > config.train().microTokens()) break;
      samples.add(s);
      tokens += s.length();
    }
    var step = List.<Unit>of(new Unit.Fresh(samples));
    try (var learner = new Learner(lm.model(), method, config.train())) {
      method.begin(stage);
      learner.train();
      learner.step(0, step, Double.MIN_NORMAL);
      long start = System.nanoTime();
      learner.step(1, step, Double.MIN_NORMAL);
      return (System.nanoTime() - start) / 1e9 / tokens;
    }
  }

  /** Each token with the text that it adds. */
  private static List<Token> marked(Sample sample, Tokenizer tokenizer) {
    var tokens = new ArrayList<Token>();
    String before = "";
    for (int i = 0; i < sample.length(); i++) {
      int[] so = java.util.Arrays.copyOf(sample.tokens(), i + 1);
      String all = tokenizer.decode(so, false);
      String text =
          all.startsWith(before)
              ? all.substring(before.length())
              : tokenizer.decode(new int[] {so[i]}, false);
      tokens.add(new Token(so[i], text, i >= sample.answerStart()));
      before = all;
    }
    return tokens;
  }
}

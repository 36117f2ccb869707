package dev.seekr.verify;

import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.method.PackedQueries;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.Generator;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** The student alone: logits, attention maps, greedy decoding, next-token loss and its gradient. */
record ForwardChecks(GoldenCase golden, Safetensors expected, Checks checks, Path folder) {

  void run(LlamaModel student, Memory memory) {
    var batch = new Batch(golden.samples());
    logits(student, batch, memory);
    attention(student, batch);
    greedy(student);
    gradients(student, batch, memory);
  }

  private void logits(LlamaModel student, Batch batch, Memory memory) {
    var pass = student.forward(batch);
    Tensor logits = memory.allocate("logits", DType.F32, batch.N(), student.config.V());
    pass.logits(logits, IntStream.range(0, batch.N()).toArray());
    checks.elements(
        "student.logits",
        logits.toDoubles(),
        expected.get("student.logits").toDoubles(),
        Golden.TENSOR);
  }

  /** Every row of every head, through the capture that fills replay buffers. */
  private void attention(LlamaModel student, Batch batch) {
    var heads = student.config.heads();
    int[] all = IntStream.range(0, heads.NH()).toArray();
    var queries = new ArrayList<SampledQueries>();
    for (Sample s : batch.samples())
      queries.add(SampledQueries.of(IntStream.range(0, s.length()).toArray()));
    var pass = student.begin(batch, false);
    for (int l = 0; l < student.config.L(); l++) {
      pass.layer(l);
      try (var step = new Memory("maps")) {
        var layout = new PackedQueries(queries, student.ops(), step);
        var ops = student.ops();
        Tensor p = ops.allocate(step, "maps", ops.wide(), all.length * layout.entries());
        pass.capture(l, layout.layer(all, 0, p));
        double[] captured = p.toDoubles();
        int from = 0;
        for (int s = 0; s < batch.S(); s++) {
          int n = batch.samples().get(s).length();
          double[] map = new double[all.length * n * n];
          for (int t = 0; t < n; t++) {
            for (int h = 0; h < all.length; h++) {
              for (int j = 0; j <= t; j++) map[(h * n + t) * n + j] = captured[from++];
            }
          }
          String name = "student.attention.sample" + s + ".layer" + l;
          checks.elements(name, map, expected.get(name).toDoubles(), Golden.TENSOR);
        }
      }
    }
  }

  private void greedy(LlamaModel student) {
    Tensor tokens = expected.get("student.greedy");
    int T = (int) tokens.dim(1);
    // References decode a fixed number of tokens, past any end of sequence.
    List<int[]> prompts = golden.samples().stream().map(Sample::tokens).toList();
    List<int[]> answers = new Generator(student).generate(prompts, T, Set.of());
    if (student.ops().dtype() != student.ops().wide()) {
      checks.add("student.greedy", shortfall(student, prompts, answers), Golden.TENSOR);
      return;
    }
    int[] actual = answers.stream().flatMapToInt(Arrays::stream).toArray();
    checks.same("student.greedy", actual, tokens.toInts());
  }

  /**
   * Rounding turns the choice between tokens that are nearly as likely. What can be asked is that
   * each token be nearly the likeliest by the exact model: how far below the largest logit it is at
   * most, relative to the largest of all.
   */
  private double shortfall(LlamaModel student, List<int[]> prompts, List<int[]> answers) {
    double worst = 0, largest = 1e-30;
    for (double z : expected.get("student.logits").toDoubles())
      largest = Math.max(largest, Math.abs(z));
    var ops = new ReferenceOps(DType.F64);
    try (var memory = new Memory("exact model");
        var exact = Golden.model(folder, "student", student.config, ops, memory, Recompute.none)) {
      int V = exact.config.V();
      for (int b = 0; b < answers.size(); b++) {
        int[] prompt = prompts.get(b), answer = answers.get(b);
        int[] all = Arrays.copyOf(prompt, prompt.length + answer.length);
        System.arraycopy(answer, 0, all, prompt.length, answer.length);
        var pass = exact.forward(Batch.of(new Sample(all, prompt.length)));
        Tensor z = memory.allocate("logits", DType.F64, answer.length, V);
        int first = prompt.length - 1;
        pass.logits(z, IntStream.range(first, first + answer.length).toArray());
        for (int i = 0; i < answer.length; i++) {
          double[] row = z.rows(i, i + 1).toDoubles();
          double best = Arrays.stream(row).max().orElseThrow();
          worst = Math.max(worst, best - row[answer[i]]);
        }
      }
    }
    return worst / largest;
  }

  private void gradients(LlamaModel student, Batch batch, Memory memory) {
    var grads = student.weights.like(student.ops(), memory, "gradients");
    var pass = student.forward(batch);
    var loss = OutputLoss.labels(batch, 1.0 / batch.targets());
    var result = pass.backward(loss, AttentionTap.NONE, grads, true).losses();
    checks.number(
        "seqft.loss",
        result.nllSum() / batch.targets(),
        expected.get("seqft.loss").get(0),
        Golden.LOSS);
    grads
        .byName()
        .forEach(
            (name, g) ->
                checks.norm(
                    "seqft.grad." + name, g, expected.get("seqft.grad." + name), Golden.TENSOR));
  }
}

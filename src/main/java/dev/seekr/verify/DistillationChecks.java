package dev.seekr.verify;

import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.SampledQueries;
import dev.seekr.disk.RunFolder;
import dev.seekr.method.Distillation;
import dev.seekr.method.Losses;
import dev.seekr.method.Replayed;
import dev.seekr.method.Seekr;
import dev.seekr.method.Setup;
import dev.seekr.method.Step;
import dev.seekr.method.Teacher;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.Weights;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The teacher's stored signals, and the losses and gradients they give the student, through the
 * replay buffer.
 */
record DistillationChecks(
    GoldenCase golden, Safetensors batch, Safetensors expected, Checks checks, Path scratch) {

  void run(LlamaModel teacher, LlamaModel student, Memory memory) {
    var queries = golden.queries(batch, "queries");
    int[][] heads = GoldenCase.heads(batch, "selected_heads", student.config);
    var grads = student.weights.like(student.ops(), memory, "gradients");
    for (Variant variant : Variant.values()) {
      boolean paper = variant == Variant.paper;
      Path folder = scratch.resolve(variant.name());
      new Teacher(teacher, paper ? -1 : 0, heads, DType.F32, Integer.MAX_VALUE)
          .record(folder, golden.samples(), queries);
      var buffer = ReplayBuffer.open(folder);
      var replayed =
          IntStream.range(0, buffer.size()).mapToObj(i -> new Replayed(buffer, i)).toList();
      if (paper) {
        var entries = replayed.stream().map(r -> r.read(memory)).toList();
        stored(buffer.heads(), entries, queries);
        attentionAlone(buffer.heads(), entries, student, grads);
      }
      total(variant, replayed, student, grads);
    }
  }

  /** Captured rows against [heads, budget, n], rows drawn more than once repeated there. */
  private void stored(
      int[][] heads, List<ReplayBuffer.Entry> entries, List<SampledQueries> queries) {
    for (int s = 0; s < entries.size(); s++) {
      var q = queries.get(s);
      int n = golden.samples().get(s).length();
      for (int l = 0; l < heads.length; l++) {
        int H = heads[l].length;
        if (H == 0) continue;
        Tensor rows = entries.get(s).rows()[l];
        double[] full = new double[H * q.budget() * n];
        long from = 0;
        for (int r = 0, drawn = 0; r < q.pos().length; drawn += q.count()[r++]) {
          for (int h = 0; h < H; h++) {
            for (int j = 0; j <= q.pos()[r]; j++, from++) {
              for (int c = 0; c < q.count()[r]; c++)
                full[(h * q.budget() + drawn + c) * n + j] = rows.get(from);
            }
          }
        }
        String name = "teacher.rows.sample" + s + ".layer" + l;
        checks.elements(name, full, expected.get(name).toDoubles(), Golden.TENSOR);
      }
    }
  }

  /** The attention term by itself, exact logarithm. */
  private void attentionAlone(
      int[][] heads, List<ReplayBuffer.Entry> entries, LlamaModel student, Weights grads) {
    var b = new Batch(golden.samples());
    int S = b.S();
    try (var memory = new Memory("objective")) {
      var rows = Distillation.attention(heads, entries, 1.0 / S, student.ops(), memory);
      var queries = rows.queries();
      var tap = AttentionTap.distill(queries, 0);
      grads.flat().zero();
      var pass = student.forward(b);
      double[][] kl = pass.backward(OutputLoss.labels(b, 0.0), tap, grads, true).kl();
      double sum = 0;
      for (int l = 0; l < queries.length; l++) {
        if (queries[l] == null) continue;
        int[] counts =
            entries.stream()
                .flatMapToInt(e -> java.util.Arrays.stream(e.queries().count()))
                .toArray();
        for (int i = 0; i < kl[l].length; i++) sum += counts[i / queries[l].H()] * kl[l][i] / S;
      }
      number("ad_sum", sum);
      number("ad_exact", rows.weighted(kl));
      gradients("ad_exact", grads);
    }
  }

  /** The whole replay loss of the method itself: lambda1 = 0.5, lambda2 = 1000. */
  private void total(Variant variant, List<Replayed> replayed, LlamaModel student, Weights grads) {
    boolean paper = variant == Variant.paper;
    var b = new Batch(golden.samples());
    var losses = new Losses();
    grads.flat().zero();
    var setup = new Setup(Golden.config(variant, 0.5, 1000), student, new RunFolder(scratch));
    try (var method = new Seekr(setup);
        var objective = method.rehearse(replayed, Step.of(golden.samples()))) {
      var pass = student.forward(b);
      var tapped = pass.backward(objective.output(), objective.tap(), grads, true);
      objective.booking().book(tapped, losses);
    }
    String name = paper ? "paper" : "official";
    if (paper) number("replay", losses.means().get("replay"));
    number("ld_" + name, losses.means().get("logits"));
    String attention = paper ? "ad_exact" : "ad_official";
    checks.number(
        "seekr.total_" + name + ": attention",
        losses.means().get("attention"),
        expected.get("seekr." + attention).get(0),
        Golden.LOSS);
    number("total_" + name, losses.total());
    gradients(name, grads);
  }

  private void number(String name, double actual) {
    checks.number("seekr." + name, actual, expected.get("seekr." + name).get(0), Golden.LOSS);
  }

  private void gradients(String name, Weights grads) {
    grads
        .byName()
        .forEach(
            (w, g) -> {
              String key = "seekr.grad_" + name + "." + w;
              if (expected.has(key)) checks.norm(key, g, expected.get(key), Golden.TENSOR);
            });
  }
}

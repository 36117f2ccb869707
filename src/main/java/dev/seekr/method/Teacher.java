package dev.seekr.method;

import dev.seekr.Failure;
import dev.seekr.data.Batch;
import dev.seekr.data.Batcher;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.model.Finite;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Pass;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Records what a model that has just finished a task says of its replay samples: logits of the
 * answer, and attention rows of selected heads.
 *
 * @param logitsShift first row whose logits are kept, counted from the answer's first token
 * @param heads selected heads by layer; null: no attention rows
 * @param dtype F16 or F32: what is stored
 */
public record Teacher(
    LlamaModel model, int logitsShift, int[][] heads, DType dtype, int microTokens) {

  /**
   * Writes the buffer of a task. {@code queries}: rows of each sample to capture; looked at only
   * where heads are given.
   */
  public void record(Path folder, List<Sample> samples, List<SampledQueries> queries) {
    int[][] kept = heads == null ? new int[0][] : heads;
    var all = IntStream.range(0, samples.size()).boxed().toList();
    var chunks = Batcher.pack(all, i -> samples.get(i).length(), microTokens);
    ReplayBuffer.write(
        folder,
        kept,
        logitsShift,
        out -> {
          for (List<Integer> chunk : chunks) {
            var chunkSamples = chunk.stream().map(samples::get).toList();
            var chunkQueries = heads == null ? null : chunk.stream().map(queries::get).toList();
            record(chunkSamples, chunkQueries, out);
          }
        });
  }

  private void record(
      List<Sample> samples, List<SampledQueries> queries, Consumer<ReplayBuffer.Entry> out) {
    try (var memory = new Memory("teacher")) {
      Pass pass = model.begin(new Batch(samples), false);
      Tensor[][] rows = run(pass, samples, queries, memory);
      int start = 0;
      for (int s = 0; s < samples.size(); s++) {
        Tensor logits = logits(pass, samples.get(s), start, memory);
        var query = queries == null ? null : queries.get(s);
        out.accept(new ReplayBuffer.Entry(samples.get(s), logits, query, rows[s]));
        start += samples.get(s).length();
      }
    }
  }

  /** Runs the samples forward; rows [S][L] of each sample and layer as they are stored. */
  private Tensor[][] run(
      Pass pass, List<Sample> samples, List<SampledQueries> queries, Memory memory) {
    int L = model.config.L();
    Tensor[][] stored = new Tensor[samples.size()][L];
    var layout = heads == null ? null : new PackedQueries(queries, model.ops(), memory);
    for (int l = 0; l < L; l++) {
      pass.layer(l);
      if (heads == null || heads[l].length == 0) continue;
      int H = heads[l].length;
      var ops = model.ops();
      Tensor p = ops.allocate(memory, "rows", ops.wide(), H * layout.entries());
      var rows = layout.layer(heads[l], 0, p);
      pass.capture(l, rows);
      long from = 0;
      for (int s = 0; s < stored.length; s++) {
        long n = H * queries.get(s).entries();
        stored[s][l] = memory.allocate("rows", dtype, n);
        stored[s][l].copyFrom(p.view(from, n));
        from += n;
      }
    }
    pass.finish();
    return stored;
  }

  private Tensor logits(Pass pass, Sample sample, int start, Memory memory) {
    int first = start + sample.answerStart() + logitsShift;
    Tensor out = memory.allocate("logits", dtype, sample.targets(), model.config.V());
    pass.logits(out, IntStream.range(first, first + sample.targets()).toArray());
    if (!Finite.all(out))
      throw Failure.config(
          "logits of a replay sample are not finite in %s; method.buffer_dtype=f32 holds larger ones",
          dtype);
    return out;
  }
}

package dev.seekr.method;

import dev.seekr.Failure;
import dev.seekr.data.Batch;
import dev.seekr.data.Batcher;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.disk.Disk;
import dev.seekr.distributed.Bytes;
import dev.seekr.distributed.Collectives;
import dev.seekr.model.Finite;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Pass;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
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
    record(folder, samples, queries, Collectives.ALONE);
  }

  /** The same by several processes, each of which takes some passes; the first one writes. */
  void record(
      Path folder, List<Sample> samples, List<SampledQueries> queries, Collectives processes) {
    int[][] kept = heads == null ? new int[0][] : heads;
    var all = IntStream.range(0, samples.size()).boxed().toList();
    var chunks = Batcher.pack(all, i -> samples.get(i).length(), microTokens);
    BiConsumer<List<Integer>, Consumer<ReplayBuffer.Entry>> of =
        (chunk, out) -> {
          var rows = heads == null ? null : chunk.stream().map(queries::get).toList();
          record(chunk.stream().map(samples::get).toList(), rows, out);
        };
    if (processes.ranks() == 1) {
      ReplayBuffer.write(
          folder, kept, logitsShift, out -> chunks.forEach(chunk -> of.accept(chunk, out)));
      return;
    }
    Consumer<Consumer<Disk.Content>> fill =
        out -> {
          for (int first = 0; first < chunks.size(); first += processes.ranks()) {
            int mine = first + processes.rank();
            var files = new ArrayList<byte[]>();
            if (mine < chunks.size())
              of.accept(chunks.get(mine), entry -> files.add(ReplayBuffer.content(entry).bytes()));
            for (byte[] more : processes.gather(Bytes.join(files)))
              for (byte[] file : Bytes.split(more)) out.accept(Disk.Content.of(file));
          }
        };
    if (processes.first()) ReplayBuffer.writeFiles(folder, kept, logitsShift, fill);
    else fill.accept(file -> {});
    processes.barrier();
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

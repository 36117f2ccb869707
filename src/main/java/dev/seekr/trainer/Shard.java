package dev.seekr.trainer;

import dev.seekr.distributed.Collectives;
import dev.seekr.distributed.Slice;
import dev.seekr.model.Parameters;
import dev.seekr.ops.Ops;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What of each block of parameters this process holds: all of it or, where processes divide them
 * (ZeRO, Rajbhandari et al. 2020), its {@link Slice}. Tensors of that shape are one vector, with a
 * piece for each block.
 *
 * @param sizes elements of each block
 */
record Shard(List<Long> sizes, int rank, int ranks) {
  /** All of it, or this process's parts. */
  static Shard of(Parameters parameters, Collectives all, boolean divided) {
    var sizes = parameters.blocks().stream().map(b -> b.tensor().size()).toList();
    return divided ? new Shard(sizes, all.rank(), all.ranks()) : new Shard(sizes, 0, 1);
  }

  boolean divided() {
    return ranks > 1;
  }

  /** Of block i. */
  Slice part(int i) {
    return Slice.of(sizes.get(i), rank, ranks);
  }

  /** Its elements of a tensor that is as large as block i. */
  Tensor of(int i, Tensor block) {
    return part(i).of(block);
  }

  /**
   * One vector and its pieces.
   *
   * @param flat gaps between pieces are zero
   */
  record Pieces(Tensor flat, List<Tensor> tensors) {}

  /** Zeros. */
  Pieces allocate(Ops ops, DType dtype, Memory memory, String tag) {
    return cut(ops.allocate(memory, tag, dtype, start(sizes.size())));
  }

  /** The pieces of a vector that is laid out so. */
  Pieces cut(Tensor flat) {
    var pieces = new ArrayList<Tensor>();
    for (int i = 0; i < sizes.size(); i++) pieces.add(flat.view(start(i), part(i).n()));
    return new Pieces(flat, pieces);
  }

  /** Where the piece of block i begins. */
  private long start(int i) {
    long start = 0;
    for (int b = 0; b < i; b++) start += aligned(part(b).n());
    return start;
  }

  /** As blocks of parameters are. */
  private static long aligned(long n) {
    return (n + 15) / 16 * 16;
  }

  /** Where the tensors of a process are saved, beside what is saved once. */
  private static String section(int rank, int ranks) {
    return "optimizer-%d-of-%d".formatted(rank + 1, ranks);
  }

  /** Where this process saves its pieces. */
  StateWriter save(StateWriter to) {
    if (!divided()) return to;
    to.put("shards", ranks);
    return to.beside(section(rank, ranks));
  }

  /** Whether a section that a process saves for itself is this one's. */
  static boolean own(String section, Collectives all) {
    return section.equals(section(all.rank(), all.ranks()));
  }

  /** Reads pieces that perhaps another number of processes have saved. */
  void load(StateReader from, String name, Pieces into) {
    int saved = from.has("shards") ? (int) from.whole("shards", 2, Integer.MAX_VALUE) : 1;
    for (int s = 0; s < saved; s++) {
      var other = new Shard(sizes, s, saved);
      var source = saved == 1 ? from : from.beside(section(s, saved));
      source.require(name, into.flat.dtype(), other.start(sizes.size()));
      for (int i = 0; i < sizes.size(); i++)
        other.copy(source, name, i, part(i), into.tensors.get(i));
    }
  }

  /** What there is of it for another's part of block i. */
  private void copy(StateReader source, String name, int i, Slice wanted, Tensor into) {
    Slice there = part(i);
    long from = Math.max(there.from(), wanted.from());
    long end = Math.min(there.from() + there.n(), wanted.from() + wanted.n());
    if (end <= from) return;
    long at = start(i) + from - there.from();
    source.tensor(name, at, into.view(from - wanted.from(), end - from));
  }
}

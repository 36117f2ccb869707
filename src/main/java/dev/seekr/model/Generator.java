package dev.seekr.model;

import dev.seekr.ops.Decode;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Batched greedy decoding with a key-value cache: prompts are run once, packed; then one token a
 * sequence and step. What a prompt is answered does not depend on the prompts beside it.
 */
public final class Generator {
  private final LlamaModel model;
  private final LlamaConfig config;
  private final Ops ops;

  public Generator(LlamaModel model) {
    this.model = model;
    this.config = model.config;
    this.ops = model.ops();
  }

  /**
   * Answers each prompt (token ids, not empty) with at most maxNew tokens, ending before the first
   * of {@code stop}.
   *
   * @return the new tokens of each prompt, without the stop token
   */
  public List<int[]> generate(List<int[]> prompts, int maxNew, Set<Integer> stop) {
    return generate(Beginning.none(), prompts, maxNew, stop, _ -> false);
  }

  /**
   * As {@link #generate(List, int, Set)}, with a beginning before each prompt.
   *
   * @param ended whether an answer is over, given its tokens so far; it keeps the last of them
   */
  public List<int[]> generate(
      Beginning beginning,
      List<int[]> prompts,
      int maxNew,
      Set<Integer> stop,
      Predicate<int[]> ended) {
    return decode(beginning, prompts, maxNew, stop, ended, Generator::argmax);
  }

  /**
   * As {@link #generate}, but each token is drawn from the k likeliest, in the order of the
   * prompts: the same {@code random} gives the same answers.
   */
  public List<int[]> sample(
      List<int[]> prompts, int maxNew, Set<Integer> stop, int k, RandomGenerator random) {
    Function<Tensor, int[]> pick = logits -> draw(logits, k, random);
    return decode(Beginning.none(), prompts, maxNew, stop, _ -> false, pick);
  }

  private List<int[]> decode(
      Beginning beginning,
      List<int[]> prompts,
      int maxNew,
      Set<Integer> stop,
      Predicate<int[]> ended,
      Function<Tensor, int[]> pick) {
    int B = prompts.size();
    int[] lengths = prompts.stream().mapToInt(p -> beginning.length() + p.length).toArray();
    int T = Arrays.stream(lengths).max().orElse(0) + maxNew;
    List<int[]> answers = new ArrayList<>();
    try (var memory = new Memory("generation")) {
      var cache = new Cache(model, memory, memory.allocate("cache", DType.I32, B), T);
      Tensor logits = memory.allocate("logits", DType.F32, B, config.V());
      prefill(beginning, prompts, cache, logits);
      int[][] out = new int[B][maxNew];
      int[] count = new int[B];
      boolean[] done = new boolean[B];
      for (int step = 0; step < maxNew; step++) {
        int[] next = pick.apply(logits);
        for (int b = 0; b < B; b++) {
          done[b] |= stop.contains(next[b]);
          if (done[b]) continue;
          out[b][count[b]++] = next[b];
          done[b] = ended.test(Arrays.copyOf(out[b], count[b]));
        }
        if (step + 1 == maxNew || allTrue(done)) break;
        decode(next, lengths, cache, logits);
        for (int b = 0; b < B; b++) lengths[b]++;
      }
      for (int b = 0; b < B; b++) answers.add(Arrays.copyOf(out[b], count[b]));
    }
    return answers;
  }

  /** Keys and values of all layers, each [B,NKV,T,HS]. */
  private final class Cache {
    final Tensor[] k = new Tensor[config.L()], v = new Tensor[config.L()];
    final Heads heads;
    final Tensor lengths; // [B]
    final int T;
    final Cache other; // of the model whose attention is grafted; null: none is

    Cache(LlamaModel of, Memory memory, Tensor lengths, int T) {
      this.T = T;
      this.lengths = lengths;
      heads = of.heads();
      other = of.graft() == null ? null : new Cache(of.graft().from(), memory, lengths, T);
      long B = lengths.size();
      for (int l = 0; l < k.length; l++) {
        k[l] = ops.allocate(memory, "cache", B, heads.NKV(), T, heads.HS());
        v[l] = ops.allocate(memory, "cache", B, heads.NKV(), T, heads.HS());
      }
    }
  }

  private void prefill(Beginning beginning, List<int[]> prompts, Cache cache, Tensor logits) {
    int B = prompts.size();
    var trees = prompts.stream().map(p -> new Branches.Tree(p, List.of())).toList();
    var branches = new Branches(model, beginning, trees);
    try (var memory = new Memory("prefill")) {
      var fillings = new ArrayList<Filling>();
      Pass pass = branches.pass();
      for (Cache c = cache; c != null; c = c.other, pass = pass.other())
        fillings.add(new Filling(c, pass, branches, beginning, prompts, memory));
      for (int l = 0; l < config.L(); l++) {
        branches.layer(l);
        for (Filling filling : fillings) filling.layer(l);
      }
    }
    int[] last = new int[B];
    Arrays.setAll(last, b -> branches.row(b, 0, -1));
    branches.pass().finish();
    branches.pass().logits(logits, last);
  }

  /** What a pass over prompts gives a cache. */
  private final class Filling {
    private final Cache cache;
    private final Pass pass;
    private final Beginning beginning;
    private final Heads heads;
    private final Tensor keys, values;
    private final int[] begunKeys, begunValues;

    Filling(
        Cache cache,
        Pass pass,
        Branches branches,
        Beginning beginning,
        List<int[]> prompts,
        Memory memory) {
      this.cache = cache;
      this.pass = pass;
      this.beginning = beginning;
      heads = cache.heads;
      int key = heads.NH(), value = key + heads.NKV();
      keys = ints(memory, sources(branches, prompts, key));
      values = ints(memory, sources(branches, prompts, value));
      begunKeys = beginningSources(key);
      begunValues = beginningSources(value);
    }

    /** Layer l, which has just run. */
    void layer(int l) {
      int HS = heads.HS();
      Tensor qkv = rows(pass.attention(l).qkv(), HS);
      ops.gather(rows(cache.k[l], HS), qkv, keys);
      ops.gather(rows(cache.v[l], HS), qkv, values);
      beginning.copy(ops, l, rows(cache.k[l], HS), begunKeys, HS);
      beginning.copy(ops, l, rows(cache.v[l], HS), begunValues, HS);
    }

    /**
     * Where the rows [B,NKV,T] of the cache come from: of packed rows of qkv, seen as [N (NH+2NKV),
     * HS], head {@code first} (the first key's, or the first value's) and those after it; -1 where
     * a beginning lies, or the cache is still empty.
     */
    private int[] sources(Branches branches, List<int[]> prompts, int first) {
      int[] from = nowhere();
      for (int b = 0, row = 0; b < prompts.size(); b++) {
        int n = prompts.get(b).length, at = branches.row(b, 0, -n);
        for (int g = 0; g < heads.NKV(); g++, row += cache.T)
          for (int t = 0; t < n; t++)
            from[row + beginning.length() + t] = (at + t) * allHeads() + first + g;
      }
      return from;
    }

    /** The same of the rows that a beginning gives. */
    private int[] beginningSources(int first) {
      int[] from = nowhere();
      for (int row = 0; row < cache.lengths.size() * heads.NKV(); row++)
        for (int t = 0; t < beginning.length(); t++)
          from[row * cache.T + t] = t * allHeads() + first + row % heads.NKV();
      return from;
    }

    private int[] nowhere() {
      int[] from = new int[Math.toIntExact(cache.lengths.size() * heads.NKV() * cache.T)];
      Arrays.fill(from, -1);
      return from;
    }

    private int allHeads() {
      return heads.NH() + 2 * heads.NKV();
    }
  }

  private static Tensor ints(Memory memory, int[] values) {
    Tensor t = memory.allocate("cache", DType.I32, values.length);
    t.copyFrom(values);
    return t;
  }

  private static Tensor rows(Tensor t, int HS) {
    return t.view(0, t.size() / HS, HS);
  }

  private void decode(int[] tokens, int[] lengths, Cache cache, Tensor logits) {
    int B = tokens.length;
    int[] each = new int[B + 1];
    Arrays.setAll(each, b -> b);
    cache.lengths.copyFrom(lengths);
    var pass = model.begin(tokens, lengths, each, false);
    for (int l = 0; l < config.L(); l++) layer(pass, cache, l);
    pass.finish();
    pass.logits(logits, Arrays.copyOf(each, B));
  }

  /** One layer of one token a sequence, after that of a model whose attention is grafted. */
  private void layer(Pass pass, Cache cache, int l) {
    if (cache.other != null) layer(pass.other(), cache.other, l);
    pass.attentionInput(l);
    var a = pass.attention(l);
    ops.attentionDecode(
        new Decode(
            a.o(),
            cache.k[l],
            cache.v[l],
            a.qkv(),
            cache.lengths,
            a.heads(),
            a.scale(),
            a.window()));
    pass.attentionOutput(l);
  }

  private static int[] argmax(Tensor logits) {
    int B = (int) logits.dim(0), V = (int) logits.dim(1);
    int[] best = new int[B];
    float[] z = finite(logits);
    for (int b = 0; b < B; b++) {
      int arg = 0;
      for (int i = 1; i < V; i++) if (z[b * V + i] > z[b * V + arg]) arg = i;
      best[b] = arg;
    }
    return best;
  }

  private static float[] finite(Tensor logits) {
    float[] z = logits.toFloats();
    if (!Finite.all(z)) throw new NotFinite();
    return z;
  }

  /** A token of each row [V], with the softmax over its k largest logits. */
  private static int[] draw(Tensor logits, int k, RandomGenerator random) {
    int B = (int) logits.dim(0), V = (int) logits.dim(1);
    float[] z = finite(logits);
    int[] drawn = new int[B];
    for (int b = 0; b < B; b++) {
      int row = b * V;
      int[] top = largest(z, row, V, k);
      double[] p =
          Arrays.stream(top).mapToDouble(i -> Math.exp(z[row + i] - z[row + top[0]])).toArray();
      double left = random.nextDouble() * Arrays.stream(p).sum();
      int at = 0;
      while (at < p.length - 1 && left >= p[at]) left -= p[at++];
      drawn[b] = top[at];
    }
    return drawn;
  }

  /** Where the k largest of z[row] to z[row + V - 1] are, largest first, counted from row. */
  private static int[] largest(float[] z, int row, int V, int k) {
    int[] top = new int[Math.min(k, V)];
    int n = 0;
    for (int i = 0; i < V; i++) {
      if (n == top.length && z[row + i] <= z[row + top[n - 1]]) continue;
      int at = n < top.length ? n++ : n - 1;
      for (; at > 0 && z[row + i] > z[row + top[at - 1]]; at--) top[at] = top[at - 1];
      top[at] = i;
    }
    return top;
  }

  private static boolean allTrue(boolean[] flags) {
    for (boolean f : flags) if (!f) return false;
    return true;
  }
}

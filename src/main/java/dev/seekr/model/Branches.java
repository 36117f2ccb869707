package dev.seekr.model;

import dev.seekr.ops.Attention;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Trees of sequences, run forward in one pass: beginning, then a tree's stem, then one of its
 * branches. Every token goes through the matrices once, however many sequences it is in. Attention
 * alone sees whole sequences, put together from the rows of queries, keys and values that they
 * share.
 */
final class Branches {
  /** Rows of sequences put together at a time, or one sequence. */
  private static final int ROWS = 4096;

  /**
   * @param stem not empty
   * @param branches each may be empty
   */
  record Tree(int[] stem, List<int[]> branches) {
    int length() {
      return stem.length + branches.stream().mapToInt(b -> b.length).sum();
    }
  }

  /**
   * Some of the sequences, put together.
   *
   * @param ofBeginning, ofPass where each of their rows is, or -1
   * @param back [N] which of their rows is the pass's, or -1
   * @param cu [S+1]
   */
  private record Part(int[] ofBeginning, int[] ofPass, int[] back, int[] cu) {}

  private final LlamaModel model;
  private final Beginning beginning;
  private final List<Tree> trees;
  private final int[] starts; // of each tree among the rows of the pass
  private final List<Part> parts; // empty where the rows of the pass are whole sequences already
  private final Pass pass;

  Branches(LlamaModel model, Beginning beginning, List<Tree> trees) {
    this.model = model;
    this.beginning = beginning;
    this.trees = trees;
    starts = new int[trees.size() + 1];
    for (int i = 0; i < trees.size(); i++) starts[i + 1] = starts[i] + trees.get(i).length();
    boolean plain = beginning.length() == 0 && trees.stream().allMatch(t -> grown(t).size() <= 1);
    parts = plain ? List.of() : parts();
    pass = begin();
  }

  private static List<int[]> grown(Tree tree) {
    return tree.branches.stream().filter(b -> b.length > 0).toList();
  }

  private Pass begin() {
    int N = starts[trees.size()], P = beginning.length(), n = 0;
    int[] tokens = new int[N], positions = new int[N];
    for (Tree tree : trees) {
      for (int t = 0; t < tree.stem.length; t++, n++) {
        tokens[n] = tree.stem[t];
        positions[n] = P + t;
      }
      for (int[] branch : tree.branches) {
        for (int t = 0; t < branch.length; t++, n++) {
          tokens[n] = branch[t];
          positions[n] = P + tree.stem.length + t;
        }
      }
    }
    return model.begin(tokens, positions, starts, false);
  }

  private List<Part> parts() {
    var parts = new ArrayList<Part>();
    var open = new PartBuilder();
    for (int i = 0; i < trees.size(); i++) {
      Tree tree = trees.get(i);
      int stem = tree.stem.length, at = starts[i] + stem;
      List<int[]> grown = grown(tree);
      for (int b = 0; b < Math.max(1, grown.size()); b++) {
        int branch = grown.isEmpty() ? 0 : grown.get(b).length;
        if (open.rows > 0 && open.rows + beginning.length() + stem + branch > ROWS) {
          parts.add(open.build());
          open = new PartBuilder();
        }
        open.add(starts[i], stem, b == 0, at, branch);
        at += branch;
      }
    }
    parts.add(open.build());
    return parts;
  }

  private final class PartBuilder {
    int rows;
    private final List<int[]> ofPass = new ArrayList<>();
    private final int[] back = new int[starts[trees.size()]];

    PartBuilder() {
      Arrays.fill(back, -1);
    }

    /**
     * A sequence.
     *
     * @param first of the sequences with this stem, which is the one whose output it takes
     */
    void add(int stemAt, int stem, boolean first, int branchAt, int branch) {
      int P = beginning.length();
      int[] of = new int[P + stem + branch];
      for (int t = 0; t < of.length; t++) {
        of[t] = t < P ? -1 : t < P + stem ? stemAt + t - P : branchAt + t - P - stem;
        if (t >= P + stem || t >= P && first) back[of[t]] = rows + t;
      }
      ofPass.add(of);
      rows += of.length;
    }

    Part build() {
      int[] of = ofPass.stream().flatMapToInt(Arrays::stream).toArray();
      int[] begun = new int[of.length], cu = new int[ofPass.size() + 1];
      Arrays.fill(begun, -1);
      for (int s = 0; s + 1 < cu.length; s++) {
        cu[s + 1] = cu[s] + ofPass.get(s).length;
        for (int t = 0; t < beginning.length(); t++) begun[cu[s] + t] = t;
      }
      return new Part(begun, of, back, cu);
    }
  }

  /** The row of a tree's last token of the stem, or of token t of a branch, from 0. */
  int row(int tree, int branch, int t) {
    int row = starts[tree] + trees.get(tree).stem.length;
    if (t < 0) return row + t;
    for (int b = 0; b < branch; b++) row += trees.get(tree).branches.get(b).length;
    return row + t;
  }

  Pass pass() {
    return pass;
  }

  /** All layers and the final norm. */
  Pass all() {
    for (int l = 0; l < model.config.L(); l++) layer(l);
    pass.finish();
    return pass;
  }

  /** One layer, in order. */
  void layer(int l) {
    if (parts.isEmpty()) {
      pass.layer(l);
      return;
    }
    pass.attentionInput(l);
    for (Part part : parts) attention(l, part);
    pass.attentionOutput(l);
  }

  private void attention(int l, Part part) {
    Ops ops = model.ops();
    var heads = model.config.heads();
    var own = pass.attention(l);
    int M = part.ofPass.length, width = heads.qkvWidth();
    try (var step = new Memory("joined")) {
      Tensor qkv = ops.allocate(step, "joined", M, width);
      Tensor o = ops.allocate(step, "joined", M, (long) heads.NH() * heads.HS());
      Tensor lse = ops.allocate(step, "joined", ops.wide(), M, heads.NH());
      beginning.copy(ops, l, qkv, part.ofBeginning, width);
      ops.gather(qkv, own.qkv(), ints(step, part.ofPass));
      ops.attentionForward(
          new Attention(o, lse, qkv, ints(step, part.cu), heads, own.scale(), own.window()));
      ops.gather(own.o(), o, ints(step, part.back));
    }
  }

  private static Tensor ints(Memory memory, int[] values) {
    Tensor t = memory.allocate("joined", DType.I32, values.length);
    t.copyFrom(values);
    return t;
  }
}

package dev.seekr.ops;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Java's side of {@code native/include/seekr.h}: one entry a function, in the header's order. A
 * test compares the two.
 */
final class Abi {
  /**
   * A function of the header. The handle takes the function's address first, so it is the same for
   * every library and, being a constant, is compiled into its callers.
   *
   * @param index where this function's address stands in a library's table
   */
  record Function(int index, String name, FunctionDescriptor descriptor, MethodHandle handle) {}

  private static final List<Function> FUNCTIONS = new ArrayList<>();

  /** Letters of a signature: p pointer, i int32, l int64, f float. */
  private static Function function(String name, String parameters) {
    return add(name, FunctionDescriptor.of(JAVA_INT, layouts(parameters)));
  }

  private static Function text(String name, String parameters) {
    return add(name, FunctionDescriptor.of(ADDRESS, layouts(parameters)));
  }

  private static Function add(String name, FunctionDescriptor descriptor) {
    var f =
        new Function(
            FUNCTIONS.size(), name, descriptor, Linker.nativeLinker().downcallHandle(descriptor));
    FUNCTIONS.add(f);
    return f;
  }

  private static MemoryLayout[] layouts(String letters) {
    return letters
        .replace(" ", "")
        .chars()
        .mapToObj(
            c ->
                switch (c) {
                  case 'p' -> ADDRESS;
                  case 'i' -> JAVA_INT;
                  case 'l' -> JAVA_LONG;
                  case 'f' -> JAVA_FLOAT;
                  default -> throw new IllegalArgumentException("layout " + (char) c);
                })
        .toArray(MemoryLayout[]::new);
  }

  static final Function CREATE = function("sk_create", "p i p");
  static final Function DESTROY = function("sk_destroy", "p");
  static final Function LAST_ERROR = text("sk_last_error", "");
  static final Function CONFIGURE = function("sk_configure", "p i p");
  static final Function ISA = text("sk_isa", "p");
  static final Function MATMUL = function("sk_matmul", "pp ppp lll iii");
  static final Function EMBEDDING_FWD = function("sk_embedding_fwd", "p ppp lll");
  static final Function EMBEDDING_BWD = function("sk_embedding_bwd", "p ppp lll");
  static final Function RMSNORM_FWD = function("sk_rmsnorm_fwd", "p pppppp ll f");
  static final Function RMSNORM_BWD = function("sk_rmsnorm_bwd", "p pppppp ll");
  static final Function ROPE_FWD = function("sk_rope_fwd", "p pppp lllll");
  static final Function ROPE_BWD = function("sk_rope_bwd", "p pppp lllll");
  static final Function ATTENTION_FWD = function("sk_attention_fwd", "p pppp llll");
  static final Function ATTENTION_BWD = function("sk_attention_bwd", "p pppppppp llll p f");
  static final Function ATTENTION_CAPTURE = function("sk_attention_capture", "p pppp llll");
  static final Function ATTENTION_DIFF = function("sk_attention_diff", "p pppppp llll p");
  static final Function ATTENTION_DECODE = function("sk_attention_decode", "p ppppp lllll");
  static final Function SWIGLU_FWD = function("sk_swiglu_fwd", "p pp ll");
  static final Function SWIGLU_BWD = function("sk_swiglu_bwd", "p ppp ll");
  static final Function GATHER = function("sk_gather", "p ppp ll");
  static final Function SCATTER = function("sk_scatter", "p ppp lll");
  static final Function SCATTER_ADD = function("sk_scatter_add", "p ppp lll");
  static final Function LOSS = function("sk_loss", "p pppppp i pp ii ll");
  static final Function ADAMW = function("sk_adamw", "p ppppp l ffffff l");
  static final Function DOT = function("sk_dot", "p ppp l");
  static final Function ADD_SCALED = function("sk_add_scaled", "p pp l f");
  static final Function ADD_SQUARES = function("sk_add_squares", "p pp l f");
  static final Function ANCHOR = function("sk_anchor", "p ppppp l f");
  static final Function ZERO = function("sk_zero", "p p l");

  /** struct sk_rows: sampled attention rows. */
  static final StructLayout ROWS =
      MemoryLayout.structLayout(
          JAVA_LONG.withName("H"),
          ADDRESS.withName("heads"),
          ADDRESS.withName("row_start"),
          ADDRESS.withName("pos"),
          ADDRESS.withName("prefix"),
          ADDRESS.withName("weight"),
          ADDRESS.withName("p"));

  private Abi() {}

  /** Every function, by index. */
  static List<Function> functions() {
    return List.copyOf(FUNCTIONS);
  }

  /** Where a member of struct sk_rows stands. */
  static long rowsOffset(String member) {
    return ROWS.byteOffset(PathElement.groupElement(member));
  }
}

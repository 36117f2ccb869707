package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;

/**
 * Checks what a kernel is about to be given: it trusts its sizes and indices, so a wrong one would
 * read or write somewhere else. Everything here throws IllegalArgumentException that names the
 * operation and the tensor.
 */
final class Shapes {
  private final DType element;
  private final DType wide;
  private final Place place;

  /**
   * Checks floating tensors to be of type {@code element} or {@code wide}, as an operation asks,
   * and to lie in {@code place}.
   */
  Shapes(DType element, DType wide, Place place) {
    this.element = element;
    this.wide = wide;
    this.place = place;
  }

  /** {@code t} is there, of the element type, and of that shape. */
  void elements(String what, Tensor t, long... shape) {
    floating(what, t, element, shape);
  }

  /** {@code t} is there, of single precision whatever the element type, and of that shape. */
  void wide(String what, Tensor t, long... shape) {
    floating(what, t, wide, shape);
  }

  /** {@code t} is there, of either of the two, and of that shape. */
  void either(String what, Tensor t, long... shape) {
    if (t != null && t.dtype() != element && t.dtype() != wide) {
      String types = element == wide ? "" + element : element + " or " + wide;
      throw new IllegalArgumentException(
          what + ": " + t + ", expected " + types + Arrays.toString(shape));
    }
    floating(what, t, t != null && t.dtype() == wide ? wide : element, shape);
  }

  /** {@code t} is there, of that type and shape, and where kernels can reach it. */
  void floating(String what, Tensor t, DType dtype, long... shape) {
    expect(what, t, dtype, shape);
    if (t.place() != place)
      throw new IllegalArgumentException(
          what + ": " + t + " lies on " + t.place() + ", expected on " + place);
  }

  /** A tensor of ints. */
  static void ints(String what, Tensor t, long... shape) {
    expect(what, t, DType.I32, shape);
  }

  /** A tensor of double results. */
  static void doubles(String what, Tensor t, long... shape) {
    expect(what, t, DType.F64, shape);
  }

  /**
   * The same number of elements and the same last dimension; a flat tensor, or one with more
   * leading dimensions, may stand for a matrix.
   */
  static void expect(String what, Tensor t, DType dtype, long... shape) {
    if (t == null)
      throw new IllegalArgumentException(
          what + ": null, expected " + dtype + Arrays.toString(shape));
    int rank = t.shape().length;
    boolean sameRows = rank <= 1 || t.dim(-1) == shape[shape.length - 1];
    if (t.dtype() != dtype || t.size() != Tensor.size(shape) || !sameRows) {
      throw new IllegalArgumentException(
          what + ": " + t + ", expected " + dtype + Arrays.toString(shape));
    }
  }

  /** Both dimensions of a matrix are looked at where nothing else tells what they should be. */
  static void matrix(String what, Tensor t) {
    if (t == null || t.shape().length != 2)
      throw new IllegalArgumentException(what + ": " + t + ", expected a matrix");
  }

  /** Every element of {@code t} is from {@code low} to {@code high} - 1. */
  static void indices(String what, Tensor t, long low, long high) {
    for (long i = 0, n = t.size(); i < n; i++) {
      int v = t.getInt(i);
      if (v < low || v >= high) {
        throw new IllegalArgumentException(
            what + "[" + i + "] is " + v + ", expected " + low + " to " + (high - 1));
      }
    }
  }

  /** Every element of {@code t} is an index below {@code high}, each larger than the one before. */
  static void ascending(String what, Tensor t, long high) {
    indices(what, t, 0, high);
    for (long i = 1, n = t.size(); i < n; i++) {
      if (t.getInt(i) <= t.getInt(i - 1))
        throw new IllegalArgumentException(what + "[" + i + "] does not ascend");
    }
  }

  /**
   * {@code starts} begins at 0, never falls and ends at {@code end}; returns the number of groups
   * it separates.
   */
  static long starts(String what, Tensor starts, long end) {
    if (starts == null || starts.dtype() != DType.I32 || starts.size() == 0) {
      throw new IllegalArgumentException(
          what + ": " + starts + ", expected I32 that begins with 0 and ends with " + end);
    }
    long groups = starts.size() - 1;
    boolean ascends = starts.getInt(0) == 0 && starts.getInt(groups) == end;
    for (long s = 0; ascends && s < groups; s++) ascends = starts.getInt(s) <= starts.getInt(s + 1);
    if (!ascends) {
      throw new IllegalArgumentException(
          what
              + " must begin with 0, not fall and end with "
              + end
              + ": "
              + Arrays.toString(starts.toInts()));
    }
    return groups;
  }

  /** Number of rows of width {@code width} in {@code t}. */
  static long rows(String what, Tensor t, long width) {
    if (t == null || width <= 0 || t.size() % width != 0) {
      throw new IllegalArgumentException(what + ": " + t + ", expected rows of " + width);
    }
    return t.size() / width;
  }

  static void heads(Ops.Heads h) {
    if (h.NH() <= 0 || h.NKV() <= 0 || h.HS() <= 0 || h.NH() % h.NKV() != 0) {
      throw new IllegalArgumentException(h + ": expected NH a positive multiple of NKV");
    }
  }

  /**
   * Sampled rows of sequences {@code cu}. What distillation and capture need besides (heads, p) is
   * looked at when {@code NH} is positive, weights when {@code weighted}.
   */
  void sampled(AttentionRows rows, Tensor cu, long NH, boolean weighted) {
    int R = rows.R();
    ints("pos", rows.pos(), R);
    expect("prefix", rows.prefix(), DType.I64, R);
    long S = starts("rowStart", rows.rowStart(), R);
    if (S != cu.size() - 1)
      throw new IllegalArgumentException(
          "rowStart: " + S + " sequences, cu has " + (cu.size() - 1));
    long total = 0;
    for (int s = 0; s < S; s++) {
      int T = cu.getInt(s + 1) - cu.getInt(s);
      int last = -1;
      for (int i = rows.rowStart().getInt(s); i < rows.rowStart().getInt(s + 1); i++) {
        int pos = rows.pos().getInt(i);
        if (pos <= last || pos >= T) {
          throw new IllegalArgumentException(
              "pos[" + i + "] is " + pos + ", expected more than " + last + " and less than " + T);
        }
        if ((long) rows.prefix().get(i) != total) {
          throw new IllegalArgumentException(
              "prefix[" + i + "] is " + (long) rows.prefix().get(i) + ", expected " + total);
        }
        last = pos;
        total += pos + 1;
      }
    }
    if (weighted) wide("weight", rows.weight(), R);
    if (NH > 0) {
      ints("heads", rows.heads(), rows.H());
      ascending("heads", rows.heads(), NH);
      wide("p", rows.p(), rows.H() * total);
    }
  }
}

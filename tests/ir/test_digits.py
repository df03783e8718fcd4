from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from mlpress.ir import signed_digits, weight_terms


@settings(derandomize=True, deadline=None)
@given(st.integers(-(1 << 40), 1 << 40))
def test_digits_are_the_value_and_never_neighbours(value: int) -> None:
    digits = signed_digits(value)
    assert sum(sign << exponent for sign, exponent in digits) == value
    exponents = [exponent for _, exponent in digits]
    assert all(later - earlier >= 2 for earlier, later in pairwise(exponents))


def test_digits_are_as_few_as_any_signed_binary_form_has() -> None:
    """Breadth first over all sums of signed powers of two."""
    fewest = {0: 0}
    for count in range(1, 6):
        for value in [value for value, had in fewest.items() if had == count - 1]:
            for exponent in range(10):
                for step in (1 << exponent, -1 << exponent):
                    fewest.setdefault(value + step, count)
    for value in range(-255, 256):
        assert len(signed_digits(value)) == fewest[value], value


def test_weight_terms_multiply() -> None:
    for weight in range(-130, 131):
        terms = weight_terms(weight, 7, 5)
        assert all(term.source == 7 and term.mask == 31 for term in terms)
        for x in (0, 1, 22, 31):
            assert sum(term.sign * ((x & term.mask) << term.shift) for term in terms) == weight * x

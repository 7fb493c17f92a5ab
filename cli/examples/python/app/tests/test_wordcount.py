import unittest

from wordcount import count


class Counting(unittest.TestCase):
    def test_most_frequent_first(self):
        self.assertEqual(count('one two two'), [('two', 2), ('one', 1)])


if __name__ == '__main__':
    unittest.main()

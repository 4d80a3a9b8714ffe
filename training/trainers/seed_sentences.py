"""Review sentences written for this project, from which the cold-start English sentiment scorer is fitted.

They were written before anything was measured and hold nothing of the benchmark sets. Once people have labelled real
reviews, a classifier trained on those takes over.
"""

from __future__ import annotations

POSITIVE = """\
I love it.
Absolutely wonderful, I am so happy with this purchase.
Excellent quality for the price.
It works perfectly and arrived on time.
Highly recommended to everyone.
The fabric is soft and the fit is flattering.
Fits perfectly, true to size.
Best one I have ever owned.
Great value for money.
The staff was friendly and helpful.
The food was delicious and fresh.
I would buy this again without hesitation.
Beautiful colour and very comfortable.
Easy to set up and easy to use.
The battery lasts a long time.
Sound quality is clear and rich.
I get compliments every time I wear it.
Exceeded my expectations.
Sturdy, well made and durable.
My daughter loves it.
The acting was brilliant and the story touching.
It is exactly as described, very pleased.
Fast delivery and good packaging.
A must have, five stars.
""".splitlines()

NEGATIVE = """\
I hate it.
Terrible, I am very disappointed with this purchase.
Poor quality and overpriced.
It stopped working after a week.
Do not buy this.
The fabric is thin, itchy and cheap.
It runs small and the fit is awful, I had to return it.
Worst one I have ever owned.
A waste of money.
The staff was rude and slow.
The food was cold and tasteless.
I will never order from here again.
The colour is ugly and it looks nothing like the picture.
Hard to set up and it never worked.
The battery dies within an hour.
The sound is muffled and crackles.
It made me look huge and shapeless, going back.
I wanted to love this but it did not work for me.
It fell apart after one wash.
It broke the first day.
The acting was bad and the plot was boring.
Not as described, I feel cheated.
It arrived late and damaged.
Returned it, one star.
""".splitlines()

NEUTRAL = """\
It is okay.
It is average, nothing special.
The box contains one cable and a manual.
I bought this for my kitchen.
It arrived on Tuesday.
I have not used it yet.
It is neither good nor bad.
The fabric is pretty but it runs small.
Good quality, but the price is too high.
It does the job, I guess.
Some parts are great, others are disappointing.
I ordered a size medium.
It is made of plastic and weighs about a pound.
Not bad, not great either.
Works fine so far, but the instructions are confusing.
I am on the fence about keeping it.
""".splitlines()

"""The bonus: a conditional GAN that writes the digit asked for. make.py makes the notebooks."""

# %% [markdown] en
r"""
# The bonus: a conditional GAN

The lab's generator writes digits, but nobody can ask for a 7. A conditional GAN (Mirza & Osindero 2014) gives the label to both nets:
$G(z, y)$ makes an image for the label, $D(x, y)$ says whether the image is real *and fits the label*.

**At the end you can**
- give a label to a generator and to a discriminator;
- write the training step of a conditional GAN, and say which labels go where;
- show images by condition, and measure whether the condition is obeyed.

**You need** the notebook `lab`; `pip install "faussaire[notebook,plot]"`.

**Plan**

| | | minutes |
| --- | --- | ---: |
| Steps 1, 2 | parameters, images with labels | 5 |
| Steps 3, 4 | conditional networks | 15 |
| Step 5 | one training step, by hand | 15 |
| Step 6 | `fit` | 8 of training |
| Step 7 | images by condition | 5 |
"""

# %% [markdown] en gaps
"""
Where a cell says `TO DO`, replace `...` by your code. A check follows; it says in one line what is missing.
"""

# %% [markdown] fr
r"""
# Le bonus : un GAN conditionné

Le générateur du TP écrit des chiffres, mais on ne peut pas lui demander un 7. Un GAN conditionné (Mirza & Osindero 2014) donne
l'étiquette aux deux réseaux : $G(z, y)$ fabrique une image pour cette étiquette, $D(x, y)$ dit si l'image est vraie *et correspond à
l'étiquette*.

**À la fin, vous saurez**
- donner une étiquette à un générateur et à un discriminateur ;
- écrire le pas d'entraînement d'un GAN conditionné, et dire quelles étiquettes vont où ;
- montrer les images par condition, et mesurer si la condition est respectée.

**Il faut** avoir fait le notebook `lab` ; `pip install "faussaire[notebook,plot]"`.

**Plan de la séance**

| | | minutes |
| --- | --- | ---: |
| Étapes 1, 2 | paramètres, images avec étiquettes | 5 |
| Étapes 3, 4 | les réseaux conditionnés | 15 |
| Étape 5 | un pas d'entraînement, à la main | 15 |
| Étape 6 | `fit` | 8 de calcul |
| Étape 7 | les images par condition | 5 |
"""

# %% [markdown] fr gaps
"""
Là où une cellule dit `À COMPLÉTER`, remplacez `...` par votre code. La vérification qui suit dit en une ligne ce qui manque.
"""

# %%
import faussaire as fa
import numpy as np
from faussaire import layers

# %% [markdown] en
"""
## Step 1. Parameters

On two cores of a laptop without AVX-512, 375 images per second: 6,000 images and 30 epochs take 8 minutes.
"""

# %% [markdown] fr
"""
## Étape 1. Les paramètres

Sur deux cœurs d'un portable sans AVX-512, 375 images par seconde : 6 000 images et 30 époques prennent 8 minutes.
"""

# %% parameters
# en: "mnist" is fetched on first use; "strokes" are digits drawn by program, without a
# en: download.
# fr: « mnist » est téléchargé la première fois ; « strokes » : des chiffres tracés par
# fr: programme, sans téléchargement.
source = "mnist"
images = 6_000
epochs = 30
batch = 64
latent = 32
seed = 0

# %% include _helpers.py folded

# %% [markdown] en
"""
## Step 2. Images with labels
"""

# %% [markdown] fr
"""
## Étape 2. Des images avec étiquettes
"""

# %%
data = fa.load_data(source, count=images)
x_train, y_train = data.numpy(), np.asarray(data.labels)
rng = np.random.default_rng(seed)
print(x_train.shape, y_train.shape, data.classes)
print(y_train[:10])
picture(x_train[:10] / 255)

# %% [markdown] en
"""
## Step 3. A generator with a label

An `Embedding` of 10 labels and size 32 puts 32 learned numbers, other ones for each digit, beside the 32 of z. What follows sees 64
numbers: dense to 7·7·96, reshape; then twice upsampling and a convolution 3x3 (64, then 32 filters); each of these three stages followed
by batch normalisation and LeakyReLU 0.2; a convolution 5x5 to one channel with sigmoid.
"""

# %% [markdown] en solution
"""
In Keras's functional form the two inputs are written out:

```python
z, label = keras.Input((latent,)), keras.Input((), dtype="int32")
x = layers.Concatenate()([z, layers.Embedding(10, 32)(label)])
x = layers.Dense(7 * 7 * 96)(x)
...
generator = keras.Model([z, label], x)
```

Here the layer `Embedding` in a list does both lines: a net that has one takes the pair `(z, labels)`.
"""

# %% [markdown] fr
"""
## Étape 3. Un générateur avec étiquette

Un `Embedding` de 10 étiquettes et de taille 32 place à côté des 32 nombres de z 32 nombres appris, différents pour chaque chiffre. La
suite voit 64 nombres : dense vers 7·7·96, remise en forme ; puis deux fois suréchantillonnage et convolution 3x3 (64, puis 32 filtres) ;
chacun de ces trois étages est suivi d'une normalisation par lots et de LeakyReLU 0,2 ; enfin une convolution 5x5 vers un canal, avec
sigmoïde.
"""

# %% [markdown] fr solution
"""
Dans la forme fonctionnelle de Keras, les deux entrées s'écrivent :

```python
z, label = keras.Input((latent,)), keras.Input((), dtype="int32")
x = layers.Concatenate()([z, layers.Embedding(10, 32)(label)])
x = layers.Dense(7 * 7 * 96)(x)
...
generator = keras.Model([z, label], x)
```

Ici, la couche `Embedding` dans une liste remplace les deux premières lignes : un réseau qui en a une prend la paire `(z, étiquettes)`.
"""

# %%
# [gap]
# en: TO DO: after fa.Input((latent,)) comes layers.Embedding(10, 32)
# fr: À COMPLÉTER : après fa.Input((latent,)) vient layers.Embedding(10, 32)
# | generator = ...
# [solution]
generator = fa.Sequential(
    [
        fa.Input((latent,)),
        layers.Embedding(10, 32),
        layers.Dense(7 * 7 * 96),
        layers.Reshape((7, 7, 96)),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.UpSampling2D(),
        layers.Conv2D(64, 3, padding="same"),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.UpSampling2D(),
        layers.Conv2D(32, 3, padding="same"),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.Conv2D(1, 5, padding="same", activation="sigmoid"),
    ]
)
# [end]

# %% check
done(3, generator=generator)
# [en]
equal("output of G:", generator.output_shape[-3:], (28, 28, 1))
equal(
    "parameters of G:",
    generator.count_params(),
    381_473,
    "Embedding(10, 32) first? Three batch normalisations?",
)
# [fr]
equal("sortie de G :", generator.output_shape[-3:], (28, 28, 1))
equal(
    "paramètres de G :",
    generator.count_params(),
    381_473,
    "Embedding(10, 32) d'abord ? Trois normalisations ?",
)
# [all]

# %% [markdown] en
"""
## Step 4. A discriminator with a label

`Embedding(10, 1)` before a convolution gives each label a learned plane of 28x28 numbers, beside the image as a second channel. Then
convolutions 4x4 of stride 2 with 32, 64, 128 filters, each with LeakyReLU 0.2; flatten; dropout 0.3; one sigmoid.
"""

# %% [markdown] fr
"""
## Étape 4. Un discriminateur avec étiquette

Devant une convolution, `Embedding(10, 1)` donne à chaque étiquette un plan appris de 28x28 nombres, à côté de l'image, comme second
canal. Puis des convolutions 4x4 de pas 2 à 32, 64, 128 filtres, chacune avec LeakyReLU 0,2 ; mise à plat ; dropout 0,3 ; une sigmoïde.
"""

# %%
# [gap]
# en: TO DO
# fr: À COMPLÉTER
# | discriminator = ...
# [solution]
discriminator = fa.Sequential(
    [
        fa.Input((28, 28, 1)),
        layers.Embedding(10, 1),
        layers.Conv2D(32, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(64, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(128, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(1, activation="sigmoid"),
    ]
)
# [end]

# %% check
done(4, discriminator=discriminator)
# [en]
equal("output of D:", discriminator.output_shape[-1:], (1,))
equal(
    "parameters of D:",
    discriminator.count_params(),
    174_977,
    "Embedding(10, 1) first: 7,840 parameters.",
)
# [fr]
equal("sortie de D :", discriminator.output_shape[-1:], (1,))
equal(
    "paramètres de D :",
    discriminator.count_params(),
    174_977,
    "Embedding(10, 1) d'abord : 7 840 paramètres.",
)
# [all]

# %% [markdown] en
"""
## Step 5. One training step, by hand

As in the lab, with labels: real images come with *their own* labels, generated ones with labels drawn at random, which G was asked for.
"""

# %% [markdown] fr
"""
## Étape 5. Un pas d'entraînement, à la main

Comme dans le TP, avec des étiquettes : les vraies images viennent avec *les leurs*, les images générées avec des étiquettes tirées au
hasard, celles qu'on a demandées à G.
"""

# %%
discriminator.compile(
    loss="binary_crossentropy", optimizer=fa.optimizers.Adam(5e-4, beta_1=0.5), metrics=["accuracy"]
)
discriminator.trainable = False
gan = fa.Sequential([generator, discriminator])
gan.compile(loss="binary_crossentropy", optimizer=fa.optimizers.Adam(1e-3, beta_1=0.5))

drawn = rng.integers(0, len(x_train), batch)
reals, their_labels = x_train[drawn] / 255, y_train[drawn]
z, asked = rng.normal(size=(batch, latent)), rng.integers(0, 10, batch)
# [gap]
# en: TO DO: generate, mix, train D; predict_on_batch and train_on_batch take pairs: (z,
# en: labels), (x, labels)
# fr: À COMPLÉTER : générer, mélanger, entraîner D ; predict_on_batch et train_on_batch
# fr: prennent des paires : (z, étiquettes), ...
# | fakes = ...
# | labels = ...
# | d_loss, d_accuracy = ..., ...
# [solution]
fakes = generator.predict_on_batch((z, asked))
x = np.concatenate([reals, fakes])
labels = np.concatenate([their_labels, asked])
y = np.concatenate([np.ones((batch, 1)), np.zeros((batch, 1))])
d_loss, d_accuracy = discriminator.train_on_batch((x, labels), y)
# [end]

# %% check
done(5, fakes=fakes, labels=labels, d_loss=d_loss)
# [en]
equal("labels:", labels.shape, (2 * batch,))
equal(
    "generated images come with the labels asked for:", bool(np.all(labels[batch:] == asked)), True
)
near("first loss of D:", d_loss, 0.693, 0.15)
# [fr]
equal("étiquettes :", labels.shape, (2 * batch,))
equal(
    "les images générées ont les étiquettes demandées :",
    bool(np.all(labels[batch:] == asked)),
    True,
)
near("première perte de D :", d_loss, 0.693, 0.15)
# [all]

# %% [markdown] en
"""
Then G's half: a new z and new labels; the wish is still "real".
"""

# %% [markdown] fr
"""
Puis la moitié de G : un nouveau z et de nouvelles étiquettes ; le souhait reste « vrai ».
"""

# %%
d_before = discriminator.get_weights()
z, asked = rng.normal(size=(batch, latent)), rng.integers(0, 10, batch)
# [gap]
# en: TO DO: gan.train_on_batch
# fr: À COMPLÉTER : gan.train_on_batch
# | g_loss = ...
# [solution]
g_loss = gan.train_on_batch((z, asked), np.ones((batch, 1)))
# [end]

# %% check
done(5, g_loss=g_loss)
# [en]
near("first loss of G:", g_loss, 0.693, 0.3)
equal("D hasn't moved:", same(d_before, discriminator.get_weights()), True)
# [fr]
near("première perte de G :", g_loss, 0.693, 0.3)
equal("D n'a pas bougé :", same(d_before, discriminator.get_weights()), True)
# [all]

# %% [markdown] en
"""
## Step 6. Train

`fit` does these steps for all batches; labels are its second argument, as in Keras.
"""

# %% [markdown] fr
"""
## Étape 6. Entraîner

`fit` fait ces pas pour tous les lots ; les étiquettes sont son deuxième argument, comme dans Keras.
"""

# %%
cgan = fa.DCGAN(discriminator=discriminator, generator=generator, latent_dim=latent)
cgan.compile(
    discriminator_optimizer=fa.optimizers.Adam(5e-4, beta_1=0.5),
    generator_optimizer=fa.optimizers.Adam(1e-3, beta_1=0.5),
)
# [gap]
# en: TO DO: cgan.fit with images, labels, epochs, batch_size=batch,
# en: callbacks=[fa.callbacks.Images()]
# fr: À COMPLÉTER : cgan.fit avec images, étiquettes, epochs, batch_size=batch,
# fr: callbacks=[fa.callbacks.Images()]
# | history = ...
# [solution]
history = cgan.fit(
    x_train, y_train, epochs=epochs, batch_size=batch, callbacks=[fa.callbacks.Images()]
)
# [end]

# %% check
done(6, history=history)
# [en]
equal("epochs in the history:", len(history.history["d_loss"]), epochs)
# [fr]
equal("époques dans l'historique :", len(history.history["d_loss"]), epochs)
# [all]

# %%
axes = history.plot()
# [fr]
axes.set(xlabel="époque", ylabel="perte")
legend = axes.legend(["discriminateur", "générateur"])
# [all]

# %% [markdown] en
"""
## Step 7. Images by condition

A row per digit, and the same z down each column: what changes within a column is the label alone, what changes within a row is z alone.
"""

# %% [markdown] fr
"""
## Étape 7. Les images par condition

Une ligne par chiffre, et le même z dans chaque colonne : dans une colonne, seule l'étiquette change ; dans une ligne, seul z change.
"""

# %%
columns = 10
z = rng.normal(size=(columns, latent))
# [gap]
# en: TO DO: a list of ten arrays, one per digit: cgan.predict(z, classes=digit)
# fr: À COMPLÉTER : une liste de dix tableaux, un par chiffre : cgan.predict(z, classes=chiffre)
# | rows = ...
# [solution]
rows = [cgan.predict(z, classes=digit) for digit in range(10)]
# [end]

# %% check
done(7, rows=rows)
# [en]
equal("shape:", np.shape(rows), (10, columns, 28, 28, 1))
equal(
    "rows 0 and 1 are the same:",
    np.array_equal(rows[0], rows[1]),
    False,
    "Give each row its digit.",
)
# [fr]
equal("forme :", np.shape(rows), (10, columns, 28, 28, 1))
equal(
    "lignes 0 et 1 identiques :",
    np.array_equal(rows[0], rows[1]),
    False,
    "Chaque ligne a son chiffre.",
)
# [all]

# %%
figure, axes = plt.subplots(10, 1, figsize=(6, 6.4), facecolor="white")
for digit, (row, axis) in enumerate(zip(rows, axes)):
    axis.imshow(np.hstack(row)[..., 0], cmap="gray_r", vmin=0, vmax=1)
    axis.set(xticks=[], yticks=[])
    axis.set_ylabel(digit, rotation=0, va="center", labelpad=10)
    axis.spines[:].set_visible(False)
figure.subplots_adjust(hspace=0)
figure.savefig("by-digit.png", dpi=150)

# %% [markdown] en
"""
**What to expect** after ten minutes on all of MNIST (3,499 steps of 64): 98.6% of 10,000 images show the digit asked for, and every
column keeps its hand, slant and width.

![A row per digit, a code per column](pictures/cgan-3499.png)

`cgan.judge(data)` counts this: it trains a classifier first (some minutes), then has it read ten thousand generated digits.

## Questions

1. Who tells G that it should obey the label? Which images would D see through only because of the label?
2. Why may the labels asked for be drawn at random, while those of the real images may not?
3. G ignores z: what do the rows look like? G ignores the label: what do the columns look like?
4. How would you ask for a picture between a 3 and an 8?
"""

# %% [markdown] fr
"""
**À quoi s'attendre** après dix minutes sur tout MNIST (3 499 pas de 64) : 98,6 % de 10 000 images montrent le chiffre demandé, et chaque
colonne garde son écriture, penchée ou large.

![Une ligne par chiffre, un code latent par colonne](pictures/cgan-3499.png)

`cgan.judge(data)` le compte : il entraîne d'abord un classifieur (quelques minutes), puis lui fait lire dix mille chiffres générés.

## Questions

1. Qui apprend à G qu'il doit respecter l'étiquette ? Quelles images D ne démasque-t-il que grâce à l'étiquette ?
2. Pourquoi peut-on tirer au hasard les étiquettes demandées, mais pas celles des vraies images ?
3. G ignore z : à quoi ressemblent les lignes ? G ignore l'étiquette : à quoi ressemblent les colonnes ?
4. Comment demander une image entre un 3 et un 8 ?
"""

# %% [markdown] en solution
"""
### Answers

1. D: a perfect 3 under the label 7 never occurs among real pairs, so D learns to reject it, and its gradient tells G.
2. A real image with a false label would teach D that labels don't matter. For generated images any label is a fair question.
3. All images of a row alike; all images of a column alike.
4. Mix their embeddings: soft labels of shape `(n, 10)`, half 3 and half 8, in `generator.predict_on_batch((z, labels))`.
"""

# %% [markdown] fr solution
"""
### Réponses

1. D : un 3 parfait sous l'étiquette 7 n'existe pas parmi les vraies paires ; D apprend à le rejeter, et son gradient le dit à G.
2. Une vraie image avec une fausse étiquette apprendrait à D que les étiquettes ne comptent pas. Pour une image générée, toute étiquette
   est une question honnête.
3. Toutes les images d'une ligne se ressemblent ; toutes celles d'une colonne se ressemblent.
4. Mélanger leurs embeddings : des étiquettes de forme `(n, 10)`, moitié 3, moitié 8, dans
   `generator.predict_on_batch((z, labels))`.
"""

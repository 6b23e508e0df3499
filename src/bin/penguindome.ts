console.log('penguindome');
